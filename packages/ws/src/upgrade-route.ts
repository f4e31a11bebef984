import { ConfigurationError, type Guard, type GuardOptions, type Placement } from '@countersign/core'
import { declaredAt, quoted, requirePlacement, type KnownRoute } from '@countersign/core/adapter'
import type { IncomingMessage } from 'node:http'
import type { WebSocketServer } from 'ws'

/** What the path of an upgrade has in place of the names in it. */
export type Params = Readonly<Record<string, unknown>>

export interface UpgradeOptions {
  /** The guard of the service, made by `createGuard`, or its options. One server has one. */
  readonly guard: Guard | GuardOptions
  /** What it is called in the census, in events and in policy documents: `GET` and a path, such as `GET /feed`. */
  readonly route: string
  /** Who may connect. Default: what the policy document says, or else the guard's `undeclared`. */
  readonly requires?: Placement
  /**
   * Whether an upgrade is for this route: what its path has in place of the names in it, which conditions see as `resource.params`, or
   * undefined where it is not. Default: its path is the very one of `route`.
   */
  readonly match?: (request: IncomingMessage) => Params | undefined
}

/** A route of a server, and the WebSocket server that its upgrades go to. */
export interface UpgradeRoute {
  /** `GET` and the path. */
  readonly name: string
  readonly known: KnownRoute
  readonly match: NonNullable<UpgradeOptions['match']>
  readonly sockets: WebSocketServer
}

/** Throws a ConfigurationError that names what is wrong and says what to write. */
export function parseUpgradeRoute(
  sockets: WebSocketServer,
  options: UpgradeOptions,
  declares: (...args: never[]) => unknown,
): UpgradeRoute {
  const misspelt = Object.keys(options).find((key) => !optionNames.has(key))
  if (misspelt !== undefined) {
    throw new ConfigurationError(misspelt, `there are ${[...optionNames].join(', ')}`)
  }
  const { route: name, requires: placement, match } = options
  const [, path] = /^GET (\/[^\s?#]*)$/.exec(name) ?? []
  if (path === undefined) {
    throw new ConfigurationError('route', `expected GET and a path, such as 'GET /feed', got ${quoted(name)}`)
  }
  if (match === undefined && /[:*{(]/.test(path)) {
    throw new ConfigurationError('match', `say which upgrades are for \`${name}\`: match: (request) => … `)
  }
  // Any other would be asked by a server of its own, or take the upgrades itself.
  if (sockets.options.noServer !== true) {
    throw new ConfigurationError('sockets', 'write new WebSocketServer({ noServer: true })')
  }
  const own = placement === undefined ? undefined : requirePlacement(placement, 'requires')
  return {
    name,
    sockets,
    match: match ?? (({ url = '' }) => (url.split('?', 1)[0] === path ? {} : undefined)),
    known: { method: 'GET', path, own, declaredAt: own === undefined ? null : declaredAt(declares) },
  }
}

const optionNames = new Set(['guard', 'route', 'requires', 'match'])
