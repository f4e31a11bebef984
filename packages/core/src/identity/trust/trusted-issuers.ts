import { Refusal, quoted, type RefusalDetail } from '../../refusal.ts'
import { claimMalformed, claimMissing } from '../claim-refusals.ts'
import { parseSpiffeId } from '../certificate/spiffe-id.ts'
import type { KeySource } from './key-source.ts'
import { isIntrospecting, type IntrospectingIssuer, type TrustedIssuer } from './trusted-issuer.ts'

/** What an operator is told of an issuer that is none of the configured ones, nor nearly so. */
export const comparedExactly = 'issuers are compared character by character, a final slash included'

/** The issuers that may say who calls. */
export class TrustedIssuers implements Iterable<TrustedIssuer> {
  /** What each of them is called, as it was written. */
  readonly names: readonly string[]
  /** The issuer of opaque tokens. There is one at most: a token that names nobody is shown to nobody else. */
  readonly introspecting: IntrospectingIssuer | undefined
  readonly #all: readonly TrustedIssuer[]
  readonly #byName = new Map<string, TrustedIssuer>()
  readonly #byTrustDomain = new Map<string, TrustedIssuer>()
  /** Said to every stranger's token, and put together once. */
  readonly #unknown: RefusalDetail

  constructor(issuers: Iterable<TrustedIssuer>) {
    this.#all = [...issuers]
    this.names = Object.freeze(this.#all.map(({ issuer }) => issuer))
    this.introspecting = this.#all.find(isIntrospecting)
    for (const issuer of this.#all) {
      if (issuer.profile.name === 'jwt-svid') {
        this.#byTrustDomain.set(issuer.issuer.slice('spiffe://'.length), issuer)
      } else this.#byName.set(issuer.issuer, issuer)
    }
    this.#unknown = { expected: this.names.map(quoted).join(' or '), advice: comparedExactly }
  }

  get size(): number {
    return this.#all.length
  }

  /** In the order in which they are written. */
  [Symbol.iterator](): Iterator<TrustedIssuer> {
    return this.#all[Symbol.iterator]()
  }

  /** Resolves when whoever has to be asked has been tried once, well or badly. */
  async prepared(): Promise<void> {
    const introspectors = this.#all.flatMap(({ introspector }) => introspector ?? [])
    await Promise.all([...this.keySources(), ...introspectors].map((source) => source.prepared()))
  }

  /** Ends what is under way. */
  close(): void {
    for (const source of this.keySources()) source.close()
    for (const { introspector, reviewer } of this.#all) {
      introspector?.close()
      reviewer?.close()
    }
  }

  /** Every source of keys. */
  keySources(): readonly KeySource[] {
    return this.#all.flatMap(({ verification }) => (verification.kind === 'keys' ? [verification.keys] : []))
  }

  /**
   * The record for a token: the one that `iss` names, by exact comparison, else that of the trust domain in which `sub` is a
   * SPIFFE ID. Nothing is proven yet, so this selects and does nothing else: an unknown issuer must never cause a
   * network request (RFC 8725 §3.10), and keys are then looked for among that issuer's own and no others'.
   */
  select({ iss, sub }: Readonly<Record<string, unknown>>): TrustedIssuer | Refusal {
    const named = typeof iss === 'string' ? this.#byName.get(iss) : undefined
    if (named !== undefined) return named
    const id = this.#byTrustDomain.size > 0 && typeof sub === 'string' ? parseSpiffeId(sub) : undefined
    const domain = id === undefined || id.path === '' ? undefined : this.#byTrustDomain.get(id.trustDomain)
    if (domain !== undefined && (iss === undefined || typeof iss === 'string')) return domain
    if (iss === undefined && id === undefined) return claimMissing('iss')
    if (iss !== undefined && typeof iss !== 'string') return claimMalformed('`iss`: a string', iss)
    return new Refusal('issuer_unknown', { ...this.#unknown, actual: quoted(iss ?? sub) })
  }
}
