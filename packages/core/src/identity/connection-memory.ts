import type { Refusal } from '../refusal.ts'
import type { CertificateVerification } from './certificate/certificate-trust.ts'
import type { VerifiedIdentity } from './verified-identity.ts'

/** What is remembered of one connection: its certificate, and the header it sent last with whom that named. */
export class ConnectionMemory {
  /** Undefined until it was looked for. */
  certificate: CertificateVerification | Refusal | 'none' | undefined
  /** SHA-256 of the client certificate; undefined until it was needed, and where there is none. */
  thumbprint: string | undefined
  /** When the certificate was looked at last. */
  lookedAt = -Infinity
  authorization: string | undefined
  authentication: { readonly identity: VerifiedIdentity; readonly source: 'connection' } | undefined

  remember(authorization: string | undefined, identity: VerifiedIdentity): void {
    this.authorization = authorization
    this.authentication = { identity, source: 'connection' }
  }

  /** Whether a refused certificate stays refused without being looked at again. */
  staysRefused(nowMs: number): boolean {
    return nowMs < this.lookedAt + retryAfterMs && nowMs >= this.lookedAt
  }
}

/** The memories of all connections. Each dies with its connection. */
export class ConnectionMemories {
  readonly #memories = new WeakMap<object, ConnectionMemory>()

  of(connection: object): ConnectionMemory {
    let memory = this.#memories.get(connection)
    if (memory === undefined) this.#memories.set(connection, (memory = new ConnectionMemory()))
    return memory
  }
}

// A refusal may be one of time alone. Looking again on every request would let a stranger have a path searched for each.
const retryAfterMs = 10_000
