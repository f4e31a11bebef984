// What it costs to refuse, compared with a bare signature check: processor time of this process, measured by turns, so that
// whatever else the machine does happens to both.
import { compactVerify, importJWK, type CryptoKey, type JWK } from 'jose'
import { createDice } from './dice.ts'
import { mutations } from './mutations/all.ts'
import { segmentsOf, signed, type Original } from './original.ts'
import type { Subject } from './subject.ts'

export interface Cost {
  readonly original: string
  readonly mutation: string
  readonly code: string
  /** Processor time of the refusal, as a multiple of that of a signature check. */
  readonly ratio: number
  readonly text: string
}

/** The dearest mutant of each mutation of an original, dearest first. */
export async function costsOf(subject: Subject, original: Original, seed: number): Promise<readonly Cost[]> {
  const dice = createDice(seed)
  const checkOf = await signatureChecks(original)
  const costs: Cost[] = []
  for (const [mutation, make] of Object.entries(mutations[original.kind])) {
    const texts = Array.from({ length: mutantsEach }, () => make(original, dice, subject.originals))
    const dearest = await dearestRefusal(subject, original, texts)
    if (dearest === undefined) continue
    const { text, code } = dearest
    const ratio = await ratioOf(() => subject.decide(text, original), checkOf(text.length))
    costs.push({ original: original.name, mutation, code, ratio, text })
  }
  return costs.toSorted((a, b) => b.ratio - a.ratio)
}

/** By length of the whole: the check of a signature over as much, and of nothing else, with a key that is ready for it. */
async function signatureChecks(original: Original): Promise<(length: number) => () => Promise<unknown>> {
  const { algorithm, header, jws, publicKey, signingKey } = original
  const key: CryptoKey | Uint8Array =
    publicKey === undefined
      ? (signingKey as Uint8Array) // a secret, since there is no public key
      : ((await importJWK({ ...(publicKey.export({ format: 'jwk' }) as JWK), alg: algorithm })) as CryptoKey) // no secret
  const [, payload] = segmentsOf(original)
  return (length) => {
    const text = 'x'.repeat(Math.floor(((payload.length + Math.max(0, length - jws.length)) * 3) / 4))
    const asLong = signed(original, header, text)
    return () => compactVerify(asLong, key, { algorithms: [algorithm] })
  }
}

/** The least of several measurements. One below the limit shows that it can be kept; what disturbs only adds. */
async function ratioOf(task: () => unknown, check: () => Promise<unknown>, limit = 1.5): Promise<number> {
  let least = Infinity
  for (let attempt = 0; attempt < maxAttempts && least > limit; attempt += 1) {
    const [tasks, checks]: [number[], number[]] = [[], []]
    for (let round = 0; round < rounds; round += 1) {
      tasks.push(await processorTime(task))
      checks.push(await processorTime(check))
    }
    least = Math.min(least, median(tasks) / median(checks))
  }
  return least
}

async function dearestRefusal(
  subject: Subject,
  original: Original,
  texts: readonly string[],
): Promise<{ text: string; code: string } | undefined> {
  let dearest: { text: string; code: string; time: number } | undefined
  for (const text of texts) {
    const { code } = await subject.decide(text, original)
    if (code === 'allow') continue
    const times = [await processorTime(() => subject.decide(text, original), 2)]
    times.push(await processorTime(() => subject.decide(text, original), 2))
    const time = Math.min(...times)
    if (dearest === undefined || time > dearest.time) dearest = { text, code, time }
  }
  return dearest
}

async function processorTime(task: () => unknown, times = batchSize): Promise<number> {
  const before = process.cpuUsage()
  for (let i = 0; i < times; i += 1) await task()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / times
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0

const mutantsEach = 12
const batchSize = 10
const rounds = 7
const maxAttempts = 5
