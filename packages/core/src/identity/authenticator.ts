import { hash } from 'node:crypto'
import { VerificationCache } from '../cache/verification-cache.ts'
import type { Clock } from '../clock/clock.ts'
import { parseBearer } from '../evidence/authorization.ts'
import { readPeerCertificate } from '../evidence/peer-certificate.ts'
import { Refusal } from '../refusal.ts'
import { CertificateVerification, type CertificateTrust } from './certificate/certificate-trust.ts'
import { signatureTail } from './token/compact-jws.ts'
import { verifyToken, type TokenVerification, type TrustedIssuers } from './token/verify-token.ts'
import { VerifiedIdentity } from './verified-identity.ts'

/** Who calls, and where that was known from. `identity` is undefined where no credential was presented. */
export interface Authentication {
  readonly identity: VerifiedIdentity | undefined
  readonly source: 'connection' | 'cache' | 'fresh' | 'none'
}

interface AuthenticatorOptions {
  readonly issuers: TrustedIssuers
  readonly certificates: CertificateTrust | undefined
  readonly clock: Clock
  readonly maxCacheEntries: number
}

/** What one connection is remembered by. It dies with the connection. */
interface ConnectionMemory {
  /** Undefined until it was looked for. */
  certificate: CertificateVerification | Refusal | 'none' | undefined
  /** Until when a refused certificate stays refused without being looked at again. */
  refusedUntil: number
  authorization: string | undefined
  authentication: (Authentication & { readonly identity: VerifiedIdentity }) | undefined
}

/** Turns evidence into a verified identity. Synchronous wherever the answer, or all that leads to it, is at hand. */
export class Authenticator {
  readonly #options: AuthenticatorOptions
  readonly #tokens: VerificationCache<TokenVerification>
  readonly #identities = new WeakMap<TokenVerification, VerifiedIdentity | Refusal>()
  readonly #connections = new WeakMap<object, ConnectionMemory>()

  constructor(options: AuthenticatorOptions) {
    this.#options = options
    this.#tokens = new VerificationCache(options.maxCacheEntries)
  }

  /** Verifies what a request presents: its Authorization field, if any, and its connection's certificate, if any. */
  authenticate(
    authorization: string | undefined,
    connection: object,
  ): Authentication | Refusal | Promise<Authentication | Refusal> {
    const memory = this.#memoryOf(connection)
    const now = this.#options.clock.now()
    // The same whole header on the same connection as last time, and nothing it rests on has died.
    const last = memory.authentication
    if (last !== undefined && memory.authorization === authorization && last.identity.isAlive(now)) {
      return last
    }
    const certificate = this.#certificate(memory, connection, now)
    return certificate instanceof Promise
      ? certificate.then((verified) => this.#withCertificate(verified, memory, authorization))
      : this.#withCertificate(certificate, memory, authorization)
  }

  /** Forgets every verified token. */
  close(): void {
    this.#tokens.clear()
  }

  #withCertificate(
    certificate: CertificateVerification | Refusal | undefined,
    memory: ConnectionMemory,
    authorization: string | undefined,
  ): Authentication | Refusal | Promise<Authentication | Refusal> {
    if (certificate instanceof Refusal) return certificate
    if (authorization === undefined) {
      if (certificate === undefined) return anonymous
      return this.#remember(VerifiedIdentity.fromCertificate(certificate), memory, authorization, 'fresh')
    }
    const token = parseBearer(authorization)
    if (token instanceof Refusal) return token
    const cached = this.#tokens.find(signatureTail(token), () => digestOf(token), this.#options.clock.now())
    if (cached !== undefined) return this.#withToken(cached, certificate, memory, authorization, 'cache')
    return verifyToken(token, this.#options.issuers, this.#options.clock).then((verified) => {
      if (verified instanceof Refusal) return verified
      this.#tokens.insert(signatureTail(token), digestOf(token), verified)
      return this.#withToken(verified, certificate, memory, authorization, 'fresh')
    })
  }

  #withToken(
    token: TokenVerification,
    certificate: CertificateVerification | undefined,
    memory: ConnectionMemory,
    authorization: string,
    source: 'cache' | 'fresh',
  ): Authentication | Refusal {
    const identity =
      certificate === undefined ? this.#alone(token) : VerifiedIdentity.fromToken(token, certificate)
    return identity instanceof Refusal ? identity : this.#remember(identity, memory, authorization, source)
  }

  // Whom a token names by itself does not change, so connections that share it share the answer.
  #alone(token: TokenVerification): VerifiedIdentity | Refusal {
    let identity = this.#identities.get(token)
    if (identity === undefined) {
      identity = VerifiedIdentity.fromToken(token)
      this.#identities.set(token, identity)
    }
    return identity
  }

  #remember(
    identity: VerifiedIdentity,
    memory: ConnectionMemory,
    authorization: string | undefined,
    source: 'cache' | 'fresh',
  ): Authentication {
    memory.authorization = authorization
    memory.authentication = { identity, source: 'connection' }
    return { identity, source }
  }

  // A certificate belongs to the connection: verified once, then only asked whether it still holds.
  #certificate(
    memory: ConnectionMemory,
    connection: object,
    now: number,
  ): CertificateVerification | Refusal | undefined | Promise<CertificateVerification | Refusal> {
    const { certificates } = this.#options
    if (certificates === undefined) return undefined
    const known = memory.certificate
    if (known === 'none') return undefined
    if (known instanceof Refusal && now < memory.refusedUntil && now >= memory.refusedUntil - retryAfterMs) {
      return known
    }
    if (known instanceof CertificateVerification && known.isAlive(now)) return known
    const peer = readPeerCertificate(connection)
    if (peer === undefined) {
      memory.certificate = 'none'
      return undefined
    }
    const verified = certificates.verify(peer, now)
    memory.refusedUntil = now + retryAfterMs
    if (!(verified instanceof Promise)) return (memory.certificate = verified)
    return verified.then((result) => (memory.certificate = result))
  }

  #memoryOf(connection: object): ConnectionMemory {
    let memory = this.#connections.get(connection)
    if (memory === undefined) {
      memory = {
        certificate: undefined,
        refusedUntil: 0,
        authorization: undefined,
        authentication: undefined,
      }
      this.#connections.set(connection, memory)
    }
    return memory
  }
}

// A refusal may be one of time alone. Looking again on every request would let a stranger have a path searched for each.
const retryAfterMs = 10_000

const digestOf = (token: string): string => hash('sha256', token, 'base64url')

const anonymous: Authentication = Object.freeze({ identity: undefined, source: 'none' })
