import { createHmac } from 'node:crypto'
import { equalInConstantTime } from './equal-text.ts'

/**
 * Nonces for DPoP proofs (RFC 9449 §8) that need no memory: base64url(epoch ‖ HMAC-SHA256(key, epoch)), where an epoch is
 * a stretch of time. The nonces of the current and the previous epoch are accepted, so each is good for one to two
 * lifetimes. Nobody without the key can say which comes next, and all instances that share the key agree.
 */
export class NonceSource {
  readonly #key: Uint8Array
  readonly #lifetimeMs: number
  /** Of the epoch that was asked for last. */
  #known: { readonly epoch: number; readonly current: string; readonly previous: string } | undefined

  constructor(key: Uint8Array, lifetimeSeconds: number) {
    this.#key = key
    this.#lifetimeMs = lifetimeSeconds * 1000
  }

  /** The nonce to give out at this time. */
  current(nowMs: number): string {
    return this.#at(nowMs).current
  }

  /** Whether the nonce is one that was given out lately. */
  accepts(nonce: string, nowMs: number): boolean {
    const { current, previous } = this.#at(nowMs)
    return equalInConstantTime(nonce, current) || equalInConstantTime(nonce, previous)
  }

  #at(nowMs: number): { readonly current: string; readonly previous: string } {
    const epoch = Math.floor(nowMs / this.#lifetimeMs)
    if (this.#known?.epoch !== epoch) {
      this.#known = { epoch, current: this.#nonce(epoch), previous: this.#nonce(epoch - 1) }
    }
    return this.#known
  }

  #nonce(epoch: number): string {
    const octets = Buffer.alloc(8)
    octets.writeBigInt64BE(BigInt(epoch))
    const mac = createHmac('sha256', this.#key).update(octets).digest()
    return Buffer.concat([octets, mac]).toString('base64url')
  }
}
