// `node test/fuzz/print-costs.ts <seed>`: what each refusal costs, as JSON. In a process of its own and without a bundler, since
// code that a test runner has rewritten costs something else.
import { isAvailable } from '../../packages/core/src/identity/jws/algorithms.ts'
import { costsOf, type Cost } from './cost.ts'
import { createProofSubject } from './proofs.ts'
import { createTokenSubject } from './tokens.ts'

const seed = Number(process.argv[2])
const hasMlDsa = isAvailable('ML-DSA-44')
const measured = /^(at\+jwt (ES256|RS256|PS256|Ed25519|HS256|ML-DSA-44)|proof (ES256|RS256|Ed25519))$/

const subjects = [createTokenSubject(hasMlDsa), await createProofSubject(hasMlDsa)]
const leastCosts = new Map<string, Cost>()
// The first round is for the compiler. Of the others the least counts: what disturbs only adds.
for (let round = 0; round < 3; round += 1) {
  for (const subject of subjects) {
    for (const original of subject.originals.filter(({ name }) => measured.test(name))) {
      for (const cost of await costsOf(subject, original, seed)) {
        const cell = `${cost.original}, ${cost.mutation}`
        const before = leastCosts.get(cell)?.ratio ?? Infinity
        if (round > 0 && cost.ratio < before) leastCosts.set(cell, cost)
      }
    }
  }
}
const costs = [...leastCosts.values()].toSorted((a, b) => b.ratio - a.ratio)
process.stdout.write(JSON.stringify(costs), () => process.exit())
