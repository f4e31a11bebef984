// `node --expose-gc print-kept-heap.ts <each> <limit>`: octets of heap that are kept of a refused token, after `each` of every kind. What is
// kept of tokens is kept in every round; what the machine itself keeps meanwhile is not, so the first round below the limit counts.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { authenticated, createGuard } from '@countersign/core'
import { codeOf, requestWith } from './asking.ts'
import { createHostileTokens } from './hostile-tokens.ts'
import { createHouse, issuer } from './house.ts'

const house = createHouse()
const { clock, signer } = house
const guard = createGuard(
  {
    audience: 'orders',
    issuers: [{ issuer, jwks: { keys: [{ ...signer.jwk, kid: 'key-1' }] } }],
    log: { warn: () => undefined },
  },
  { clock },
)
const kinds = Object.values(createHostileTokens(house))
const [each = 0, limit = 0] = process.argv.slice(2).map(Number)
let next = 0

async function decide(text: string): Promise<void> {
  const code = codeOf(await guard.decide(requestWith(`Bearer ${text}`), authenticated()))
  if (code === 'allow') throw new Error('expected a refusal')
}

/** On a connection of its own each; some checked at once, some on threads. */
async function round(): Promise<void> {
  for (let i = 0; i < each; i += 1) {
    next += 1
    await Promise.all(kinds.map((make) => decide(make(next))))
    await nextTurn()
  }
}

async function heapUsed(): Promise<number> {
  for (let i = 0; i < 3; i += 1) {
    globalThis.gc?.()
    await nextTurn()
  }
  return process.memoryUsage().heapUsed
}

await guard.decide(requestWith(`Bearer ${house.token()}`), authenticated())
await round()
let kept = Infinity
for (let rounds = 0; rounds < 12 && kept >= limit; rounds += 1) {
  const before = await heapUsed()
  await round()
  kept = ((await heapUsed()) - before) / (each * kinds.length)
}
process.stdout.write(JSON.stringify(kept))
