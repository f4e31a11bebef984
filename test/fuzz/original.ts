// A good token or proof, taken apart so that it can be changed anywhere and signed again.
import type { KeyObject } from 'node:crypto'
import { segment, type Part } from '../core/support/raw-signer.ts'
import { signatureBy, type SigningKey, type SigningOptions } from './signing.ts'

export type Members = Readonly<Record<string, unknown>>

export interface Original {
  /** For messages: what it is and by which algorithm, as in `at+jwt ES256`. */
  readonly name: string
  readonly kind: 'token' | 'proof'
  readonly algorithm: string
  readonly header: Members
  readonly claims: Members
  /** Its text as it was issued. */
  readonly jws: string
  readonly signingKey: SigningKey
  /** Undefined for a shared secret. */
  readonly publicKey: KeyObject | undefined
}

export interface OriginalOptions {
  readonly name: string
  readonly kind: Original['kind']
  readonly algorithm: string
  readonly header: Members
  readonly claims: Members
  readonly signingKey: SigningKey
  readonly publicKey: KeyObject | undefined
}

export const createOriginal = (options: OriginalOptions): Original => ({
  ...options,
  jws: signed(options, options.header, options.claims),
})

/** Any header over any payload, signed with the original's own key. */
export const signed = (original: Omit<Original, 'jws'>, header: Part, payload: Part): string =>
  signedInput(original, `${segment(header)}.${segment(payload)}`)

/** Any signing input, signed with the original's own key. */
export const signedInput = (
  { algorithm, signingKey }: Omit<Original, 'jws'>,
  input: string,
  options?: SigningOptions,
): string => `${input}.${signatureBy(algorithm, signingKey, input, options).toString('base64url')}`

/** The three segments of a compact JWS. */
export function segmentsOf({ jws }: Pick<Original, 'jws'>): readonly [string, string, string] {
  const [header = '', payload = '', signature = ''] = jws.split('.')
  return [header, payload, signature]
}
