import { forwardedThumbprint, type ForwardedClient } from '../../evidence/forwarded/forwarded-client.ts'
import type { HeaderField } from '../../request/identity-headers.ts'
import { Refusal, quoted } from '../../refusal.ts'
import type { CertificateVerification } from '../peer/certificate-verification.ts'
import type { CallerCertificate, Peer } from '../peer/peer.ts'
import { whenKnown } from '../when-known.ts'

/** Verifies a client of whom a trusted proxy speaks. */
export type VerifyClient = (client: ForwardedClient, nowMs: number) => Verified | Promise<Verified>

type Verified = CertificateVerification | Refusal

/** How a proxy's word is read, and what it is worth. */
interface Word {
  readonly read: (fields: readonly HeaderField[]) => ForwardedClient | undefined | Refusal
  readonly verify: VerifyClient
}

/** The client of whom a trusted proxy speaks. Nothing is read before it is asked for: most requests are known from before. */
export class ForwardedPeer implements Peer {
  readonly forwarded: readonly HeaderField[]
  readonly missing: Refusal
  readonly #word: Word
  #client: ForwardedClient | Refusal | 'none' | undefined

  constructor(fields: readonly HeaderField[], word: Word, missing: Refusal) {
    this.forwarded = fields
    this.#word = word
    this.missing = missing
  }

  certificate(nowMs: number): CallerCertificate | Promise<CallerCertificate> {
    const client = this.#read()
    if (client === 'none') return undefined
    if (client instanceof Refusal) return client
    return whenKnown(this.#word.verify(client, nowMs), (verified) => agreed(client, verified))
  }

  thumbprint(): string | undefined {
    const client = this.#read()
    return client === 'none' || client instanceof Refusal ? undefined : forwardedThumbprint(client)
  }

  #read(): ForwardedClient | Refusal | 'none' {
    return (this.#client ??= this.#word.read(this.forwarded) ?? 'none')
  }
}

// The name in the certificate counts. Where the proxy read another one, one of the two was deceived.
function agreed(client: ForwardedClient, verified: Verified): Verified {
  if (verified instanceof Refusal || client.uri === undefined || client.uri === verified.id) return verified
  // Whom an authority names otherwise may have URIs that name nobody.
  if (verified.spiffeId === undefined && !/^spiffe:/i.test(client.uri)) return verified
  return new Refusal('forwarded_certificate_mismatch', {
    expected: `${quoted(verified.id)}, as the certificate says`,
    actual: quoted(client.uri),
  })
}
