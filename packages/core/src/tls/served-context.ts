import { constants } from 'node:crypto'
import type { SecureContext, Server } from 'node:tls'
import type { Clock } from '../clock/clock.ts'
import type { TlsEvent } from '../events/channels.ts'
import type { Guard } from '../guard.ts'
import { LiveValue } from '../identity/trust/live-value.ts'
import { pollMs } from '../identity/trust/refresh-times.ts'
import {
  areSamePair,
  isInFiles,
  parsePair,
  readPair,
  rereadPair,
  type KeyPair,
  type KeyPairPem,
} from './key-pair.ts'
import { requireNothingLost } from './lost-options.ts'
import { ServingReport } from './serving-report.ts'

interface ServedContextOptions {
  readonly guard: Guard
  readonly source: KeyPairPem
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3'
  readonly clock: Clock
}

/** The whole set: what is left out would be Node's default after a replacement. */
interface ContextOptions extends KeyPairPem {
  readonly ca: string[]
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3'
  readonly secureOptions: number
}

/**
 * What TLS servers serve with: their own certificate and key, and the authorities that their guard trusts.
 * INVARIANT: replaced at once for clients with and without a server name, and only by what was seen to work.
 */
export class ServedContext {
  readonly #options: ServedContextOptions
  #live: LiveValue<KeyPairPem, KeyPair> | undefined
  readonly #servers = new Set<Server>()
  #takeBack: (() => void) | undefined
  #pair: KeyPair
  #current: { readonly options: ContextOptions; readonly context: SecureContext }
  readonly #report: ServingReport
  /** What was read last; undefined where nothing could be. */
  #seen: KeyPairPem | undefined

  constructor(options: ServedContextOptions) {
    this.#options = options
    const { guard, source, clock } = options
    this.#report = new ServingReport(guard)
    const at = clock.now()
    this.#pair = parsePair(readPair(source), at)
    this.#current = this.#build(this.#pair)
    this.#resume()
  }

  /** Follows files and authorities, from now on or once more. */
  #resume(): void {
    if (this.#takeBack !== undefined) return
    const { guard, source, clock } = this.#options
    this.#live = isInFiles(source)
      ? this.#follow({ reading: this.#pair, value: this.#pair, at: clock.now() })
      : undefined
    this.#takeBack = guard.onTrustChange(() => this.#replace(this.#pair, 'authorities'))
    this.#replace(this.#pair, 'authorities')
  }

  get options(): ContextOptions {
    return this.#current.options
  }

  get context(): SecureContext {
    // Where the clock has no timers, handshakes have the files read.
    this.#live?.current(this.#options.clock.now())
    return this.#current.context
  }

  /** Has a server follow until it is closed. With the last one ends the watching of files. */
  addServer(server: Server): void {
    const { minVersion, secureOptions } = this.#current.options
    // Servers put their own ciphers first unless they are told otherwise.
    requireNothingLost(server, { minVersion, secureOptions, honorCipherOrder: true })
    if (this.#servers.size === 0) this.#resume()
    server.setSecureContext(this.#current.options)
    this.#servers.add(server)
    server.once('close', () => {
      this.#servers.delete(server)
      if (this.#servers.size > 0) return
      this.#live?.close()
      this.#takeBack?.()
      this.#takeBack = undefined
    })
  }

  #follow(initial: {
    readonly reading: KeyPairPem
    readonly value: KeyPair
    readonly at: number
  }): LiveValue<KeyPairPem, KeyPair> {
    const { source, clock } = this.#options
    return new LiveValue({
      clock,
      initial,
      read: async (_last, signal) => {
        this.#seen = undefined
        return (this.#seen = await rereadPair(source, signal))
      },
      areSame: areSamePair,
      isWrittenInPlace: true,
      parse: (reading) => parsePair(reading, clock.now()),
      intervalOf: () => pollMs,
      // Files cost no network, and a pair that was half replaced is whole in a moment.
      retryAfter: () => pollMs,
      // An old certificate is better than none: its end is for clients to see.
      maxStaleMs: Infinity,
      landed: (isReplaced) => this.#landed(isReplaced),
    })
  }

  #landed(isReplaced: boolean): void {
    const { problem } = this.#live?.state ?? {}
    const pair = this.#live?.current(this.#options.clock.now())
    if (problem !== undefined) this.#report.failed('certificate', this.#pair, problem, this.#seen)
    else if (isReplaced && pair !== undefined) this.#replace(pair, 'certificate')
    else this.#report.allIsWell()
  }

  #replace(pair: KeyPair, part: TlsEvent['part']): void {
    const { guard } = this.#options
    if (part === 'authorities' && areSame(this.#current.options.ca, guard.clientAuthorities)) return
    try {
      this.#current = this.#build(pair)
      // Keys for session tickets are made anew with it: no session outlives the trust that it was made under.
      for (const server of this.#servers) server.setSecureContext(this.#current.options)
    } catch {
      // Whatever OpenSSL has against it, the server goes on.
      const problem = 'the authorities of the guard cannot be named to clients'
      this.#report.failed(part, this.#pair, problem, this.#seen)
      return
    }
    this.#pair = pair
    this.#report.replaced(part, pair, this.#servers.size > 0)
  }

  #build({ cert, key }: KeyPair): { readonly options: ContextOptions; readonly context: SecureContext } {
    const { guard, minVersion } = this.#options
    const options = {
      cert,
      key,
      // INVARIANT: the guard verifies every certificate itself; nothing ever relies on the socket's own verdict.
      ca: [...guard.clientAuthorities],
      minVersion,
      // A peer must stay who it was when its certificate was read.
      secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    }
    return { options, context: process.getBuiltinModule('node:tls').createSecureContext(options) }
  }
}

const areSame = (one: readonly string[], other: readonly string[]): boolean =>
  one.length === other.length && one.every((pem, i) => pem === other[i])
