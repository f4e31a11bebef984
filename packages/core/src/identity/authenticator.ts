import { hash } from 'node:crypto'
import { VerificationCache } from '../cache/verification-cache.ts'
import type { Clock } from '../clock/clock.ts'
import { parseAuthorization, type PresentedToken } from '../evidence/authorization.ts'
import { Refusal, isOutage } from '../refusal.ts'
import { noFields, type HeaderField } from '../request/identity-headers.ts'
import { connectionOf, type InboundRequest } from '../request/inbound-request.ts'
import { anonymous, type Authentication } from './authentication.ts'
import { ConnectionMemories, type ConnectionMemory } from './connection-memory.ts'
import type { ForwardedTrust } from './forwarded/forwarded-trust.ts'
import type { CertificateTrust } from './peer/certificate-trust.ts'
import type { CertificateVerification } from './peer/certificate-verification.ts'
import { OwnConnection } from './peer/own-connection.ts'
import type { CallerCertificate, Peer } from './peer/peer.ts'
import { checkBinding, type Proven } from './proof/check-binding.ts'
import type { ProofVerifier } from './proof/proof-verifier.ts'
import type { TokenVerification } from './token/token-verification.ts'
import type { VerifyToken } from './token/verify-token.ts'
import { VerifiedIdentity, type SameWorkload } from './verified-identity.ts'
import { whenKnown } from './when-known.ts'

interface AuthenticatorOptions {
  readonly verifyToken: VerifyToken
  readonly certificates: CertificateTrust | undefined
  readonly forwarded: ForwardedTrust | undefined
  /** Told of headers that claim an identity and that no trusted proxy has sent. */
  readonly onStrayHeaders: (fields: readonly HeaderField[]) => void
  readonly proofs: ProofVerifier | undefined
  readonly sameWorkload?: SameWorkload
  readonly clock: Clock
  readonly maxCacheEntries: number
  /** Of verified tokens, counted as they came and with what is kept beside each. */
  readonly maxCacheBytes: number
}

type Answer = Authentication | Refusal | Promise<Authentication | Refusal>

/** A request, the connection that it came by, and whose certificate counts for it. */
interface Presentation {
  readonly authorization: string | undefined
  readonly request: InboundRequest
  readonly memory: ConnectionMemory
  readonly peer: Peer
}

/** A token that was sent, and what came beside it. */
interface Credentials {
  readonly sent: PresentedToken
  readonly certificate: CertificateVerification | undefined
  readonly presentation: Presentation
}

/** Turns evidence into a verified identity. Synchronous wherever the answer, or all that leads to it, is at hand. */
export class Authenticator {
  readonly #options: AuthenticatorOptions
  /** Whom verified tokens name by themselves: that does not change, so connections that share a token share the answer. */
  readonly #tokens: VerificationCache<VerifiedIdentity>
  readonly #bearers = new WeakMap<CertificateVerification, VerifiedIdentity>()
  readonly #connections: ConnectionMemories

  constructor(options: AuthenticatorOptions) {
    this.#options = options
    this.#tokens = new VerificationCache(options.maxCacheEntries, {
      maxBytes: options.maxCacheBytes,
      bytesOf: ({ token }) => keptBeside + (token?.length ?? 0),
    })
    const { certificates, forwarded } = options
    this.#connections = new ConnectionMemories(
      (socket) => new OwnConnection(socket, certificates, forwarded?.missingDirectly),
    )
  }

  /**
   * Verifies what a request presents: its Authorization field, if any, and the certificate of its connection, or the one that a
   * trusted proxy forwards in its place. `fields`: the headers that claim an identity, whoever sent them.
   */
  authenticate(
    authorization: string | undefined,
    request: InboundRequest,
    nowMs: number,
    fields: readonly HeaderField[] = noFields,
  ): Answer {
    const memory = this.#connections.of(connectionOf(request))
    const { forwarded, clock } = this.#options
    if (forwarded === undefined) return this.#through(memory.own, memory, authorization, request, nowMs)
    const certificate = forwarded.needsCertificate ? memory.own.certificate(nowMs) : undefined
    return whenKnown(certificate, (known) => {
      const isProxied = forwarded.isProxied(request, fields, known)
      // It may be the proxy: nobody can say now, and who says so is no stranger yet.
      if (!isProxied && known instanceof Refusal && isOutage(known)) return known
      const peer = isProxied ? forwarded.clientOf(fields) : this.#strangerOf(forwarded, memory, fields)
      return peer instanceof Refusal ? peer : this.#through(peer, memory, authorization, request, clock.now())
    })
  }

  // INVARIANT: the certificate of a proxy is the hop and never the caller, and what anybody else forwards is never read.
  #strangerOf(
    forwarded: ForwardedTrust,
    { own }: ConnectionMemory,
    fields: readonly HeaderField[],
  ): Peer | Refusal {
    if (fields.length > 0) this.#options.onStrayHeaders(fields)
    return forwarded.refuseStranger(fields) ?? own
  }

  #through(
    peer: Peer,
    memory: ConnectionMemory,
    authorization: string | undefined,
    request: InboundRequest,
    nowMs: number,
  ): Answer {
    // The same whole headers on the same connection as last time, and nothing they rest on has died.
    const last =
      request.headers['dpop'] === undefined ? memory.recall(authorization, peer.forwarded, nowMs) : undefined
    if (last !== undefined) return last
    const presentation = { authorization, request, memory, peer }
    const certificate = peer.certificate(nowMs)
    return certificate instanceof Promise
      ? certificate.then((known) => this.#withCertificate(known, presentation, this.#options.clock.now()))
      : this.#withCertificate(certificate, presentation, nowMs)
  }

  /** Forgets every verified token. */
  close(): void {
    this.#tokens.clear()
  }

  #withCertificate(certificate: CallerCertificate, presentation: Presentation, nowMs: number): Answer {
    if (certificate instanceof Refusal) return certificate
    const { authorization, request } = presentation
    if (authorization === undefined) return this.#withoutToken(certificate, presentation)
    const sent = parseAuthorization(authorization)
    if (sent instanceof Refusal) return sent
    const credentials = { sent, certificate, presentation }
    const digest = digestOf(sent.token)
    const cached = this.#tokens.find(digest, nowMs)
    if (cached?.token !== undefined) return this.#proven(cached.token, cached, 'cache', credentials)
    return whenKnown(this.#options.verifyToken(sent.token, connectionOf(request)), (verified) => {
      if (verified instanceof Refusal) return verified
      const named = VerifiedIdentity.fromToken(verified)
      if (!(named instanceof Refusal)) this.#tokens.insert(digest, named)
      return this.#proven(verified, named, 'fresh', credentials)
    })
  }

  #withoutToken(
    certificate: CertificateVerification | undefined,
    { authorization, memory, peer }: Presentation,
  ): Authentication {
    if (certificate === undefined) {
      return peer.missing === undefined ? anonymous : { ...anonymous, missing: peer.missing }
    }
    const identity = this.#bearerOf(certificate)
    memory.remember(authorization, peer.forwarded, identity)
    return { identity, source: 'fresh' }
  }

  // INVARIANT: asked for every request that presents a bound token; what a cached token is bound to is never cached.
  #proven(
    verified: TokenVerification,
    named: VerifiedIdentity | Refusal,
    source: 'cache' | 'fresh',
    credentials: Credentials,
  ): Answer {
    const { proofs, clock } = this.#options
    const { request, peer } = credentials.presentation
    return whenKnown(checkBinding(verified, credentials.sent, request, peer, proofs, clock), (proven) =>
      proven instanceof Refusal ? proven : this.#identified(verified, named, source, credentials, proven),
    )
  }

  /** Whom a token names: with the certificate beside it, if any. */
  #identified(
    verified: TokenVerification,
    named: VerifiedIdentity | Refusal,
    source: 'cache' | 'fresh',
    { certificate, presentation }: Credentials,
    { nextNonce }: Proven,
  ): Answer {
    if (certificate === undefined) return this.#remembered(named, presentation, source, nextNonce)
    return whenKnown(this.#stillKnown(certificate, presentation.peer), (known) => {
      if (known instanceof Refusal) return known
      const identity =
        known === undefined ? named : VerifiedIdentity.fromToken(verified, known, this.#options.sameWorkload)
      return this.#remembered(identity, presentation, source, nextNonce)
    })
  }

  // While keys were fetched, or somebody was asked about the token, the certificate beside it may have been revoked.
  #stillKnown(
    certificate: CertificateVerification,
    peer: Peer,
  ): CallerCertificate | Promise<CallerCertificate> {
    const now = this.#options.clock.now()
    return certificate.isAlive(now) ? certificate : peer.certificate(now)
  }

  #remembered(
    identity: VerifiedIdentity | Refusal,
    { authorization, memory, peer }: Presentation,
    source: Authentication['source'],
    nextNonce: string | undefined,
  ): Authentication | Refusal {
    if (identity instanceof Refusal) return identity
    // A proof is good for one request: its answer is not one to be repeated.
    if (identity.token?.claims.confirmation?.jkt === undefined) {
      memory.remember(authorization, peer.forwarded, identity)
    }
    return { identity, source, nextNonce }
  }

  // Whom a certificate names does not change, whichever connections and proxies it is seen on.
  #bearerOf(certificate: CertificateVerification): VerifiedIdentity {
    let identity = this.#bearers.get(certificate)
    if (identity === undefined) {
      identity = VerifiedIdentity.fromCertificate(certificate)
      this.#bearers.set(certificate, identity)
    }
    return identity
  }
}

// About what is kept of a token beside the text of its claims.
const keptBeside = 512

// An octet for each character, which is the shortest that text can be.
const digestOf = (token: string): string => hash('sha256', token, 'binary')
