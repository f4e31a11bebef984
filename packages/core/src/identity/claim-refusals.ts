import { Refusal, quoted } from '../refusal.ts'

/** A claim is not there, without which its token is none. */
export const claimMissing = (name: string): Refusal =>
  new Refusal('claim_missing', { expected: `\`${name}\``, actual: `no \`${name}\`` })

/** A claim is there and is not what it has to be. `expected` names both: "`aud`: a string". */
export const claimMalformed = (expected: string, value: unknown): Refusal =>
  new Refusal('claim_malformed', { expected, actual: quoted(value) })
