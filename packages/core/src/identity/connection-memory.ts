import type { HeaderField } from '../request/identity-headers.ts'
import type { OwnConnection } from './peer/own-connection.ts'
import type { VerifiedIdentity } from './verified-identity.ts'

/** What is remembered of one connection: its certificate, and the headers it sent last with whom they named. */
export class ConnectionMemory {
  readonly own: OwnConnection
  #authorization: string | undefined
  /** What a trusted proxy forwarded beside it; undefined where the connection is the caller's own. */
  #forwarded: readonly HeaderField[] | undefined
  #authentication: { readonly identity: VerifiedIdentity; readonly source: 'connection' } | undefined

  constructor(own: OwnConnection) {
    this.own = own
  }

  remember(
    authorization: string | undefined,
    forwarded: readonly HeaderField[] | undefined,
    identity: VerifiedIdentity,
  ): void {
    this.#authorization = authorization
    this.#forwarded = forwarded
    this.#authentication = { identity, source: 'connection' }
  }

  /**
   * Whom these headers named last time, if nothing that rests on has died. INVARIANT: a proxy's connection carries the requests
   * of many callers, so what it forwards is compared with every one of them, octet by octet.
   */
  recall(
    authorization: string | undefined,
    forwarded: readonly HeaderField[] | undefined,
    nowMs: number,
  ): { readonly identity: VerifiedIdentity; readonly source: 'connection' } | undefined {
    const last = this.#authentication
    const isSame =
      last !== undefined &&
      this.#authorization === authorization &&
      areSame(this.#forwarded, forwarded) &&
      last.identity.isAlive(nowMs)
    return isSame ? last : undefined
  }
}

function areSame(
  one: readonly HeaderField[] | undefined,
  other: readonly HeaderField[] | undefined,
): boolean {
  if (one === undefined || other === undefined) return one === other
  return (
    one.length === other.length &&
    one.every(([name, value], i) => name === other[i]?.[0] && value === other[i]?.[1])
  )
}

/** The memories of all connections. Each dies with its connection. */
export class ConnectionMemories {
  readonly #memories = new WeakMap<object, ConnectionMemory>()
  readonly #ownOf: (connection: object) => OwnConnection

  constructor(ownOf: (connection: object) => OwnConnection) {
    this.#ownOf = ownOf
  }

  of(connection: object): ConnectionMemory {
    let memory = this.#memories.get(connection)
    if (memory === undefined) {
      memory = new ConnectionMemory(this.#ownOf(connection))
      this.#memories.set(connection, memory)
    }
    return memory
  }
}
