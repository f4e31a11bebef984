import { systemClock, type Clock } from '../../clock/clock.ts'
import { Refusal } from '../../refusal.ts'
import type { Algorithm } from '../jws/algorithms.ts'
import { verifyProof, type VerifiedProof } from './dpop-proof.ts'
import { KnownKeys } from './known-keys.ts'
import type { SignatureChecker } from '../jws/signature-checks.ts'
import type { NonceSource } from './nonce-source.ts'
import type { ReplayStore } from './replay-store.ts'
import { receivedUrls } from './request-url.ts'
import { useOnce, type Schedule } from './use-once.ts'

/** What a request presents beside a token that is bound to a key. */
export interface ProvableRequest {
  /** The value of its DPoP field. */
  readonly proof: string | undefined
  /** The one that is decided for, case-sensitive: where something overrides it, the proof has to be for that one. */
  readonly method: string
  /** The request target as received (`/orders/7?full=1`), not what a router has left of it. */
  readonly target: string
  /** The connection that it came by. */
  readonly connection: object
}

export interface ProofVerifierOptions {
  readonly clock: Clock
  /** What callers write in front of paths, by `parseExternalUrl`. */
  readonly externalUrls: readonly string[]
  readonly algorithms: readonly Algorithm[]
  readonly windowSeconds: number
  readonly toleranceSeconds: number
  /** Undefined where proofs need no nonce. */
  readonly nonces: NonceSource | undefined
  readonly checks: SignatureChecker
  readonly replayStore: ReplayStore
  readonly isRequired: boolean
}

/** Verifies that the sender of a request holds the key that its access token is bound to, by DPoP (RFC 9449 §7). */
export class ProofVerifier {
  readonly #options: ProofVerifierOptions
  readonly #algorithms: ReadonlySet<Algorithm>
  readonly #schedule: Schedule
  readonly #knownKeys = new KnownKeys()

  constructor(options: ProofVerifierOptions) {
    this.#options = options
    this.#algorithms = new Set(options.algorithms)
    // A store that hangs is given up even where the guard's own clock starts nothing by itself.
    const { clock } = options
    this.#schedule = (task, delayMs) => clock.schedule?.(task, delayMs) ?? systemClock.schedule(task, delayMs)
  }

  /** The algorithms that a proof may be signed with, for `algs` of a challenge (RFC 9449 §7.1). */
  get algorithms(): readonly Algorithm[] {
    return this.#options.algorithms
  }

  /** Whether tokens that are not bound by DPoP are refused. */
  get isRequired(): boolean {
    return this.#options.isRequired
  }

  /** The nonce to put into `DPoP-Nonce`, or undefined where proofs need none. */
  freshNonce(nowMs: number): string | undefined {
    return this.#options.nonces?.current(nowMs)
  }

  /**
   * Verifies the proof of a request with this access token, which is bound to the key of this thumbprint (`cnf.jkt`). Asked
   * for every request, never remembered. Never rejects.
   */
  async verify(
    { proof, method, target, connection }: ProvableRequest,
    accessToken: string,
    jkt: string,
  ): Promise<VerifiedProof | Refusal> {
    if (proof === undefined) return missing
    const { clock, externalUrls, nonces, checks, windowSeconds, toleranceSeconds, replayStore } =
      this.#options
    const nowMs = clock.now()
    const verified = await verifyProof(proof, {
      method,
      urls: receivedUrls(externalUrls, target),
      urlAdvice,
      accessToken,
      jkt,
      checks,
      connection,
      knownKeys: this.#knownKeys,
      acceptsNonce: nonces === undefined ? undefined : (nonce) => nonces.accepts(nonce, nowMs),
      nowMs,
      algorithms: this.#algorithms,
      windowSeconds,
      toleranceSeconds,
    })
    if (verified instanceof Refusal) return verified
    // Last, so that only genuine proofs take memory, and with nothing after it that could fail.
    return (await useOnce(verified, replayStore, this.#schedule)) ?? verified
  }
}

const urlAdvice = 'set `dpop.externalUrl` to the URL that callers use'

const missing = new Refusal('dpop_proof_missing', {
  expected: 'one DPoP field beside a token that is bound to a key',
  actual: 'none',
})
