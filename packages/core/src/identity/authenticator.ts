import { hash } from 'node:crypto'
import { VerificationCache } from '../cache/verification-cache.ts'
import type { Clock } from '../clock/clock.ts'
import { parseAuthorization, type PresentedToken } from '../evidence/authorization.ts'
import { readPeerCertificate, readThumbprint } from '../evidence/peer-certificate.ts'
import { Refusal } from '../refusal.ts'
import type { InboundRequest } from '../request/inbound-request.ts'
import { CertificateVerification, type CertificateTrust } from './certificate/certificate-trust.ts'
import { ConnectionMemories, type ConnectionMemory } from './connection-memory.ts'
import { signatureTail } from './jws/compact-jws.ts'
import { checkBinding, type Proven } from './proof/check-binding.ts'
import type { ProofVerifier } from './proof/proof-verifier.ts'
import type { TokenVerification } from './token/token-verification.ts'
import type { VerifyToken } from './token/verify-token.ts'
import { VerifiedIdentity } from './verified-identity.ts'

/** Who calls, and where that was known from. `identity` is undefined where no credential was presented. */
export interface Authentication {
  readonly identity: VerifiedIdentity | undefined
  readonly source: 'connection' | 'cache' | 'fresh' | 'none'
  /** The nonce for the caller's next DPoP proof, where it should use another one. */
  readonly nextNonce?: string | undefined
}

interface AuthenticatorOptions {
  readonly verifyToken: VerifyToken
  readonly certificates: CertificateTrust | undefined
  readonly proofs: ProofVerifier | undefined
  readonly clock: Clock
  readonly maxCacheEntries: number
}

type Answer = Authentication | Refusal | Promise<Authentication | Refusal>

/** Turns evidence into a verified identity. Synchronous wherever the answer, or all that leads to it, is at hand. */
export class Authenticator {
  readonly #options: AuthenticatorOptions
  readonly #tokens: VerificationCache<TokenVerification>
  readonly #identities = new WeakMap<TokenVerification, VerifiedIdentity | Refusal>()
  readonly #connections = new ConnectionMemories()

  constructor(options: AuthenticatorOptions) {
    this.#options = options
    this.#tokens = new VerificationCache(options.maxCacheEntries)
  }

  /** Verifies what a request presents: its Authorization field, if any, and its connection's certificate, if any. */
  authenticate(authorization: string | undefined, request: InboundRequest): Answer {
    const memory = this.#connections.of(request.socket)
    const now = this.#options.clock.now()
    // The same whole header on the same connection as last time, and nothing it rests on has died.
    const last = memory.authentication
    if (
      last !== undefined &&
      memory.authorization === authorization &&
      request.headers['dpop'] === undefined &&
      last.identity.isAlive(now)
    ) {
      return last
    }
    const certificate = this.#certificate(memory, request.socket, now)
    return certificate instanceof Promise
      ? certificate.then((verified) => this.#withCertificate(verified, memory, authorization, request))
      : this.#withCertificate(certificate, memory, authorization, request)
  }

  /** Forgets every verified token. */
  close(): void {
    this.#tokens.clear()
  }

  #withCertificate(
    certificate: CertificateVerification | Refusal | undefined,
    memory: ConnectionMemory,
    authorization: string | undefined,
    request: InboundRequest,
  ): Answer {
    if (certificate instanceof Refusal) return certificate
    if (authorization === undefined) {
      if (certificate === undefined) return anonymous
      const identity = VerifiedIdentity.fromCertificate(certificate)
      memory.remember(authorization, identity)
      return { identity, source: 'fresh' }
    }
    const presented = parseAuthorization(authorization)
    if (presented instanceof Refusal) return presented
    const { token } = presented
    const settle = (verified: TokenVerification, source: 'cache' | 'fresh'): Answer => {
      const proven = this.#binding(verified, presented, memory, request)
      const conclude = (result: Proven | Refusal): Authentication | Refusal =>
        result instanceof Refusal
          ? result
          : this.#identify(verified, certificate, memory, authorization, { source, ...result })
      return proven instanceof Promise ? proven.then(conclude) : conclude(proven)
    }
    const cached = this.#tokens.find(signatureTail(token), () => digestOf(token), this.#options.clock.now())
    if (cached !== undefined) return settle(cached, 'cache')
    return this.#options.verifyToken(token).then((verified) => {
      if (verified instanceof Refusal) return verified
      this.#tokens.insert(signatureTail(token), digestOf(token), verified)
      return settle(verified, 'fresh')
    })
  }

  // INVARIANT: asked for every request that presents a bound token; what a cached token is bound to is never cached.
  #binding(
    token: TokenVerification,
    presented: PresentedToken,
    memory: ConnectionMemory,
    request: InboundRequest,
  ): Proven | Refusal | Promise<Proven | Refusal> {
    const { proofs, clock } = this.#options
    const thumbprint = (): string | undefined => (memory.thumbprint ??= readThumbprint(request.socket))
    return checkBinding(token, presented, request, thumbprint, proofs, clock.now())
  }

  #identify(
    token: TokenVerification,
    certificate: CertificateVerification | undefined,
    memory: ConnectionMemory,
    authorization: string,
    known: Pick<Authentication, 'source' | 'nextNonce'>,
  ): Authentication | Refusal {
    const identity =
      certificate === undefined ? this.#alone(token) : VerifiedIdentity.fromToken(token, certificate)
    if (identity instanceof Refusal) return identity
    // A proof is good for one request: its answer is not one to be repeated.
    if (token.claims.confirmation?.jkt === undefined) memory.remember(authorization, identity)
    return { identity, ...known }
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
    if (known instanceof Refusal && memory.staysRefused(now)) return known
    if (known instanceof CertificateVerification && known.isAlive(now)) return known
    const peer = readPeerCertificate(connection)
    if (peer instanceof Refusal) return peer
    if (peer === undefined) {
      memory.certificate = 'none'
      return undefined
    }
    const verified = certificates.verify(peer, now)
    memory.lookedAt = now
    if (!(verified instanceof Promise)) return (memory.certificate = verified)
    return verified.then((result) => (memory.certificate = result))
  }
}

const digestOf = (token: string): string => hash('sha256', token, 'base64url')

/** No credential was presented, or none was asked for. */
export const anonymous: Authentication = Object.freeze({ identity: undefined, source: 'none' })
