import { ConfigurationError, type Environment } from '@countersign/core'
import { censusEntry, decisionOf, requireGuard, systemClock } from '@countersign/core/adapter'
import type { WebSocketServer } from 'ws'
import { parseUpgradeRoute, type UpgradeOptions } from './upgrade-route.ts'
import { Upgrades, type UpgradeServer } from './upgrades.ts'

/**
 * Says who may open a WebSocket: `protectUpgrades(server, sockets, { guard, route: 'GET /feed', requires: scopes('feed:read') })`, with
 * `sockets = new WebSocketServer({ noServer: true })`; once for each route of a server. An upgrade that no route is for is answered 404.
 * While a WebSocket is open, its caller is asked about again, and cut off where access has ended: by close code 1008, or by 1013 where
 * that cannot be checked. Throws a ConfigurationError that says what to write; under `undeclared: 'fail-start'`, also where nobody says who
 * may connect.
 */
export function protectUpgrades(
  server: UpgradeServer,
  sockets: WebSocketServer,
  options: UpgradeOptions,
  { clock = systemClock }: Partial<Pick<Environment, 'clock'>> = {},
): void {
  const route = parseUpgradeRoute(sockets, options, protectUpgrades)
  const guard = requireGuard(options.guard)
  const entry = censusEntry(route.known, guard)
  const isUndeclared = entry.status === 'undeclared'
  if (isUndeclared && guard.failsStart) {
    throw new ConfigurationError(
      'requires',
      `nobody says who may open \`${route.name}\`: requires: scopes('…'), or unprotected('why')`,
    )
  }
  Upgrades.of(server, guard, clock).add(route)
  addHeaders(sockets)
  if (isUndeclared) guard.reportUndeclared([entry])
}

/** What a decision has to say goes into the answer that opens the WebSocket. */
function addHeaders(sockets: WebSocketServer): void {
  if (told.has(sockets)) return
  told.add(sockets)
  sockets.on('headers', (lines, request) => {
    const decision = decisionOf(request)
    if (decision?.outcome !== 'allow') return
    for (const [name, value] of Object.entries(decision.headers ?? {})) lines.push(`${name}: ${value}`)
  })
}

const told = new WeakSet<WebSocketServer>()
