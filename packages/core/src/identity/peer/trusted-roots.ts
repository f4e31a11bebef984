import { Refusal } from '../../refusal.ts'
import type { ParsedCertificate } from '../certificate/parsed-certificate.ts'
import type { CertificateIdentity } from '../certificate/verify-named.ts'
import type { CertificateTrustAnchors } from '../certificate/verify-certificate.ts'
import type { Live } from '../trust/live.ts'

/** The roots of one trust domain, or of one authority, as they were published together. */
export interface Bundle {
  readonly roots: readonly ParsedCertificate[]
  /** `spiffe_sequence`, where the document has one. */
  readonly sequence: bigint | undefined
  /** `spiffe_refresh_hint`, likewise. */
  readonly refreshHintSeconds: number | undefined
}

type Roots = readonly ParsedCertificate[]

/** An authority whose certificates are no SVIDs, by a name of the operator's. */
export interface NamedRoots {
  readonly name: string
  readonly identity: CertificateIdentity
  readonly roots: Live<Bundle>
}

/** The roots that may vouch for callers, each from its own source. */
export class TrustedRoots {
  readonly #bundles: ReadonlyMap<string, Live<Bundle>>
  readonly #authorities: readonly NamedRoots[]
  readonly #sources: readonly Live<Bundle>[]

  constructor(bundles: ReadonlyMap<string, Live<Bundle>>, authorities: readonly NamedRoots[]) {
    this.#bundles = bundles
    this.#authorities = authorities
    this.#sources = [...bundles.values(), ...authorities.map(({ roots }) => roots)]
  }

  /** What certificates are held against now. A source without roots that may serve is a refusal for those it should vouch for. */
  anchors(nowMs: number): CertificateTrustAnchors {
    const of = (source: Live<Bundle>): Roots | Refusal => source.current(nowMs)?.roots ?? unavailable(source)
    return {
      bundles: new Map([...this.#bundles].map(([domain, roots]) => [domain, of(roots)])),
      authorities: this.#authorities.map(({ name, identity, roots }) => ({
        name,
        identity,
        roots: of(roots),
      })),
    }
  }

  /** The source that has this root. What rests on the root rests on that as well. */
  sourceOf(root: ParsedCertificate | undefined, nowMs: number): Live<Bundle> | undefined {
    return this.#sources.find((source) => source.current(nowMs)?.roots.some((one) => one === root))
  }

  all(nowMs: number): Roots {
    return this.#sources.flatMap((source) => source.current(nowMs)?.roots ?? [])
  }

  /** The attempts under way of sources that have nothing yet, or nothing that may still serve. */
  underWay(nowMs: number): readonly Promise<void>[] {
    return this.#sources.flatMap((source) =>
      source.current(nowMs) === undefined && source.underWay !== undefined ? [source.underWay] : [],
    )
  }
}

const unavailable = ({ state: { problem } }: Live<Bundle>): Refusal =>
  new Refusal('bundle_unavailable', {
    expected: 'the roots that could vouch for the certificate',
    actual: problem ?? 'none yet',
    advice: 'see `guard.ready()` for the source and its problem',
  })
