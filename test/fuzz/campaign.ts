// Makes mutants by the thousand and holds the library's verdict on each against the second opinion.
import { explanations, readingOf } from './explained.ts'
import { createDice, type Dice } from './dice.ts'
import { mutate, type Mutant } from './mutations/all.ts'
import type { Original } from './original.ts'
import { createProofSubject } from './proofs.ts'
import type { Subject } from './subject.ts'
import { createTokenSubject } from './tokens.ts'

export interface CampaignOptions {
  readonly mutants: number
  /** What is changed, and how, follows from it. The keys are new each time. */
  readonly seed: number
  /** When to give up, in seconds. */
  readonly seconds: number
  readonly hasMlDsa: boolean
}

export interface Report {
  readonly mutants: number
  readonly seconds: number
  readonly accepted: number
  /** How often each code was the answer. */
  readonly byCode: ReadonlyMap<string, number>
  /** How often each mutation was made. */
  readonly byMutation: ReadonlyMap<string, number>
  /** What was refused and jose accepts, by why that is right. */
  readonly byExplanation: ReadonlyMap<string, number>
  /** What must not be. The campaign ends at twenty. */
  readonly findings: readonly string[]
}

/** Fuzzes until there are enough mutants, no time left or too many findings. */
export async function runCampaign(options: CampaignOptions): Promise<Report> {
  const startedAt = performance.now()
  const secondsGone = (): number => (performance.now() - startedAt) / 1000
  const tally = new Tally()
  const onStray = (reason: unknown): void => tally.find(`a rejection that nobody handles: ${String(reason)}`)
  process.on('unhandledRejection', onStray)
  const subjects = [createTokenSubject(options.hasMlDsa), await createProofSubject(options.hasMlDsa)]
  const [tokens, proofs] = subjects.map(({ originals }) => byPrice(originals))
  const dice = createDice(options.seed)
  let made = 0
  while (made < options.mutants && secondsGone() < options.seconds && tally.findings.length < 20) {
    const count = Math.min(batchSize, options.mutants - made)
    const batch = Array.from({ length: count }, () =>
      nextMutant(subjects, [tokens ?? [], proofs ?? []], dice),
    )
    made += count
    await Promise.all(batch.map(([subject, mutant]) => judge(subject, mutant, tally)))
  }
  process.off('unhandledRejection', onStray)
  const { accepted, byCode, byMutation, byExplanation, findings } = tally
  return { mutants: made, seconds: secondsGone(), accepted, byCode, byMutation, byExplanation, findings }
}

/** As many as keep the threads busy that check signatures. */
const batchSize = 64

function nextMutant(
  [tokens, proofs]: readonly Subject[],
  [ofTokens, ofProofs]: readonly (readonly Original[])[],
  dice: Dice,
): [Subject, Mutant] {
  const [subject, originals] = dice.chance(0.7) ? [tokens, ofTokens] : [proofs, ofProofs]
  if (subject === undefined || originals === undefined) throw new Error('expected tokens and proofs')
  return [subject, mutate(dice.pick(originals), dice, subject.originals)]
}

/** Each original as often as it is cheap: signing by some algorithms takes fifty times as long as by others. */
const byPrice = (originals: readonly Original[]): readonly Original[] =>
  originals.flatMap((original) => Array.from({ length: sharesOf(original.algorithm) }, () => original))

const sharesOf = (algorithm: string): number =>
  /^ES(384|512)$/.test(algorithm) ? 1 : /^(RS|PS|ML)/.test(algorithm) ? 3 : 10

class Tally {
  accepted = 0
  readonly byCode = new Map<string, number>()
  readonly byMutation = new Map<string, number>()
  readonly byExplanation = new Map<string, number>()
  readonly findings: string[] = []

  find(what: string): void {
    this.findings.push(what)
  }
}

async function judge(subject: Subject, mutant: Mutant, tally: Tally): Promise<void> {
  const { original, text, done } = mutant
  const find = (what: string): void => tally.find(`${what}\n  ${original.name}, ${done}\n  ${text}`)
  count(tally.byMutation, done.split(' + ')[0] ?? done)
  try {
    const { code, claims } = await subject.decide(text, original)
    const opinion = await subject.oracle(text, original)
    const codeOfPart = await subject.codeOfPart?.(text, original)
    if (codeOfPart !== undefined && codeOfPart !== code && code !== 'dpop_proof_duplicated') {
      find(`${code} by the guard, ${codeOfPart} by its part`)
    }
    count(tally.byCode, code)
    if (code === 'allow') {
      tally.accepted += 1
      if ('because' in opinion) find(`accepted, and jose refuses it: ${opinion.because}`)
      else if (claims !== undefined && JSON.stringify(claims) !== JSON.stringify(opinion.claims)) {
        find('accepted, and jose reads other claims in it')
      }
      return
    }
    if (!expectedCodes.has(code)) find(`refused as ${code}`)
    if ('because' in opinion) return
    const reading = readingOf(text, original.kind)
    const why = explanations.find(({ codes, isSo }) => codes.includes(code) && isSo(reading))
    if (why === undefined) find(`refused as ${code} for no reason that is known, and jose accepts it`)
    else count(tally.byExplanation, why.because)
  } catch (error) {
    find(`threw ${String(error)}`)
  }
}

const count = <Key>(of: Map<Key, number>, key: Key): void => void of.set(key, (of.get(key) ?? 0) + 1)

/** What a broken token or proof may be called. Not among them: whatever is somebody else's fault, ours included. */
const expectedCodes: ReadonlySet<string> = new Set([
  'authorization_malformed',
  'token_oversized',
  'token_malformed',
  'token_critical_header',
  'token_type_mismatch',
  'algorithm_not_allowed',
  'issuer_unknown',
  'key_unknown',
  'key_ambiguous',
  'signature_invalid',
  'claim_missing',
  'claim_malformed',
  'claim_mismatch',
  'subject_not_permitted',
  'token_expired',
  'token_not_yet_valid',
  'token_lifetime_excessive',
  'audience_mismatch',
  'actor_chain_too_deep',
  'confirmation_unsupported',
  'bound_token_as_bearer',
  'certificate_binding_missing',
  'dpop_proof_duplicated',
  'dpop_proof_malformed',
  'dpop_proof_mismatch',
  'dpop_proof_expired',
  'dpop_proof_signature_invalid',
  'dpop_key_mismatch',
  'dpop_nonce_required',
])
