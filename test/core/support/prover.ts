// A caller that holds a key and proves it: DPoP proofs, right ones and whatever else a test wants signed.
import { createHash } from 'node:crypto'
import { calculateJwkThumbprint } from 'jose'
import { createRawSigner, type Part, type RawAlgorithm, type RawSigner } from './raw-signer.ts'

export interface Prover {
  readonly signer: RawSigner
  /** The thumbprint of its key, as the JOSE library of the tests has it. */
  readonly jkt: string
  readonly header: { readonly typ: string; readonly alg: string; readonly jwk: object }
  /** A proof; what is given replaces a member, and `undefined` leaves it out. */
  proof(claims?: Readonly<Record<string, unknown>>, header?: Readonly<Record<string, unknown>>): string
  /** The proof's claims with these changes. */
  claims(changes?: Readonly<Record<string, unknown>>): Record<string, unknown>
  jws(header: Part, payload: Part): string
}

interface ProverOptions {
  readonly algorithm?: RawAlgorithm
  /** Where proofs take their `iat` from. */
  readonly now: () => number
  readonly accessToken?: string
}

/** The request that proofs are for unless a test says otherwise. */
export const request = { method: 'GET', url: 'https://api.example.com/orders/7' } as const

export async function createProver(options: ProverOptions): Promise<Prover> {
  const { algorithm = 'ES256', now, accessToken } = options
  const signer = createRawSigner(algorithm)
  const jkt = await calculateJwkThumbprint(signer.jwk)
  const header = { typ: 'dpop+jwt', alg: algorithm, jwk: signer.jwk }
  const claims: Prover['claims'] = (changes = {}) => ({
    jti: `proof-${(counter += 1)}`,
    htm: request.method,
    htu: request.url,
    iat: Math.floor(now() / 1000),
    ...(accessToken === undefined ? {} : { ath: sha256(accessToken) }),
    ...changes,
  })
  return {
    signer,
    jkt,
    header,
    claims,
    proof: (changes = {}, extra = {}) => signer.jws({ ...header, ...extra }, claims(changes)),
    jws: (head, payload) => signer.jws(head, payload),
  }
}

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64url')

let counter = 0
