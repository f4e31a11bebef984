// Forges tokens by the thousand and holds three verdicts on each against each other and against what is expected of it: the guard's on
// its fast path, the same guard's by WebCrypto, and jose's by the same rules.
import { createDice, type Dice } from '../dice.ts'
import { signed, type Original } from '../original.ts'
import type { Subject, Verdict } from '../subject.ts'
import type { Opinion } from '../token-oracle.ts'
import { createTokenSubject, type TokenSubject } from '../tokens.ts'
import { forgeries } from './all.ts'
import type { Forgery } from './forgery.ts'

/** Algorithm → how many of each forgery, without the private key and with it. ECDSA beyond P-256 takes many times as long. */
const shares: Readonly<Record<string, readonly [unsigned: number, signed: number]>> = {
  RS256: [300, 12],
  RS384: [250, 8],
  RS512: [250, 8],
  PS256: [300, 12],
  PS384: [250, 8],
  PS512: [250, 8],
  ES256: [300, 60],
  ES384: [40, 10],
  ES512: [6, 3],
  EdDSA: [150, 40],
  Ed25519: [30, 10],
}

interface Forged {
  readonly name: string
  readonly forgery: Forgery
  readonly original: Original
  readonly text: string
}

export class Report {
  /** No two of them are the same for one algorithm. */
  tokens = 0
  seconds = 0
  /** Algorithm and forgery → how many. */
  readonly counts = new Map<string, number>()
  /** Signatures that the guard checked in the turn in which it was asked; the others on threads. */
  checkedAtOnce = 0
  /** Forgeries that jose accepted and the guard did not → how many. */
  readonly stricter = new Map<string, number>()
  /** What must not be. */
  readonly findings: string[] = []
}

/** Every forgery, of every algorithm that it is about. Gives up at twenty findings. */
export async function forgeAll(seed: number): Promise<Report> {
  const startedAt = performance.now()
  const report = new Report()
  const subject = createTokenSubject(false)
  const dice = createDice(seed)
  for (const algorithm of Object.keys(shares)) {
    const forged = [...forgedWith(algorithm, subject, dice)]
    for (let i = 0; i < forged.length && report.findings.length < 20; i += perTurn) {
      await judge(forged.slice(i, i + perTurn), subject, report)
    }
  }
  report.seconds = (performance.now() - startedAt) / 1000
  return report
}

/** Two signatures are checked in each turn, the others on threads: half of them by each way. */
const perTurn = 4

function* forgedWith(algorithm: string, { originals }: Subject, dice: Dice): Generator<Forged> {
  const good = originals.find(({ name }) => name === `at+jwt ${algorithm}`)
  if (good === undefined) throw new Error(`expected a token of ${algorithm}`)
  const all = Array.from({ length: 8 }, (_, i) => another(good, i))
  const [unsignedShare = 0, signedShare = 0] = shares[algorithm] ?? []
  for (const [name, forgery] of Object.entries(forgeries)) {
    if (forgery.of?.test(algorithm) === false) continue
    const texts = new Set<string>()
    for (let i = forgery.isSigned === true ? signedShare : unsignedShare; i > 0; i -= 1) {
      const original = dice.pick(all)
      const text = forgery.make(original, dice, all)
      if (texts.has(text)) continue
      texts.add(text)
      yield { name, forgery, original, text }
    }
  }
}

/** Longer by some octets, so that segments end in every way that base64 has. */
function another(original: Original, i: number): Original {
  const claims = { ...original.claims, jti: `token-${'x'.repeat(i)}` }
  return { ...original, claims, jws: signed(original, original.header, claims) }
}

async function judge(batch: readonly Forged[], subject: TokenSubject, report: Report): Promise<void> {
  const decided = batch.map(({ text, original }) => subject.decide(text, original))
  report.checkedAtOnce += decided.filter((it) => !(it instanceof Promise) && isOfSignature(it)).length
  await Promise.all(
    batch.map(async (forged, i) => {
      const { text, original, name } = forged
      report.tokens += 1
      const key = `${original.algorithm}: ${name}`
      count(report.counts, key)
      const [verdict, other, opinion] = await Promise.all([
        decided[i],
        subject.codeByWebCrypto(text),
        subject.oracle(text, original),
      ])
      if (verdict === undefined) return
      if ('claims' in opinion && verdict.code !== 'allow') count(report.stricter, name)
      const flaw = flawIn(forged, verdict, other, opinion)
      if (flaw !== undefined) report.findings.push(`${key}: ${flaw}\n  ${text}`)
    }),
  )
  await nextTurn()
}

const count = (of: Map<string, number>, key: string): void => void of.set(key, (of.get(key) ?? 0) + 1)

const isOfSignature = ({ code }: Verdict): boolean => code === 'allow' || code === 'signature_invalid'

function flawIn(
  { forgery }: Forged,
  { code, claims }: Verdict,
  other: string,
  opinion: Opinion,
): string | undefined {
  if (code !== other) return `${code}, and ${other} by WebCrypto`
  const isExpected = forgery.verdict.some((expected) => expected === code)
  if (!isExpected) return `${code}, expected ${forgery.verdict.join(' or ')}`
  if ('because' in opinion) {
    return code === 'allow' ? `accepted, and jose refuses it: ${opinion.because}` : undefined
  }
  if (code !== 'allow') return forgery.stricter === undefined ? `${code}, and jose accepts it` : undefined
  const isSame = JSON.stringify(claims) === JSON.stringify(opinion.claims)
  return isSame ? undefined : 'accepted, and jose reads other claims in it'
}

function nextTurn(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  setImmediate(resolve)
  return promise
}
