import { Refusal, quoted } from '../../refusal.ts'
import { parseSpiffeId } from '../certificate/spiffe-id.ts'
import type { KeySource } from './key-source.ts'
import type { TrustedIssuer } from './trusted-issuer.ts'

/** The issuers that may say who calls. */
export class TrustedIssuers implements Iterable<TrustedIssuer> {
  readonly #byName = new Map<string, TrustedIssuer>()
  readonly #byTrustDomain = new Map<string, TrustedIssuer>()

  #introspecting: TrustedIssuer | undefined

  constructor(issuers: Iterable<TrustedIssuer>) {
    for (const issuer of issuers) {
      if (issuer.introspector !== undefined) this.#introspecting = issuer
      if (issuer.profile.name === 'jwt-svid') {
        this.#byTrustDomain.set(issuer.issuer.slice('spiffe://'.length), issuer)
      } else this.#byName.set(issuer.issuer, issuer)
    }
  }

  get size(): number {
    return this.#byName.size + this.#byTrustDomain.size
  }

  *[Symbol.iterator](): Iterator<TrustedIssuer> {
    yield* this.#byName.values()
    yield* this.#byTrustDomain.values()
  }

  /** The issuer of opaque tokens. There is one at most: a token that names nobody is shown to nobody else. */
  get introspecting(): TrustedIssuer | undefined {
    return this.#introspecting
  }

  /** Resolves when whoever has to be asked has been tried once, well or badly. */
  async prepared(): Promise<void> {
    const introspectors = [...this].flatMap(({ introspector }) => introspector ?? [])
    await Promise.all([...this.keySources(), ...introspectors].map((source) => source.prepared()))
  }

  /** Ends what is under way. */
  close(): void {
    for (const source of this.keySources()) source.close()
    for (const { introspector, reviewer } of this) {
      introspector?.close()
      reviewer?.close()
    }
  }

  /** Every source of keys. */
  keySources(): readonly KeySource[] {
    return [...this].flatMap(({ verification }) => (verification.kind === 'keys' ? [verification.keys] : []))
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
    if (iss === undefined && id === undefined) {
      return new Refusal('claim_missing', { expected: '`iss`', actual: 'no `iss`' })
    }
    if (iss !== undefined && typeof iss !== 'string') {
      return new Refusal('claim_malformed', { expected: '`iss`: a string', actual: quoted(iss) })
    }
    return new Refusal('issuer_unknown', {
      expected: [...this].map(({ issuer }) => quoted(issuer)).join(' or '),
      actual: quoted(iss ?? sub),
      advice: 'issuers are compared character by character, a final slash included',
    })
  }
}
