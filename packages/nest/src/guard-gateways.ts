import type { IncomingMessage } from 'node:http'
import type { INestApplicationContext, WebSocketAdapter } from '@nestjs/common'
import { ConfigurationError, type Decision } from '@countersign/core'
import { Application } from './application.ts'
import { askToConnect, end, takeIn, type Client } from './gateway-clients.ts'
import { gatewayPlace, type GatewayOptions, type GatewayPlace } from './gateway-places.ts'
import { tellingOf } from './refusing.ts'

/** What Nest hands an adapter for a server. `ws` asks `verifyClient` before it answers who wants to connect. */
interface ServerOptions extends GatewayOptions {
  readonly verifyClient?: VerifyClient
}

type VerifyClient = (
  info: { readonly req: IncomingMessage },
  answer?: (isVerified: boolean, status?: number, body?: string, headers?: object) => void,
) => unknown

/** A server of `ws`, or of socket.io, or a namespace of it. */
interface SocketServer {
  readonly options?: ServerOptions
  use?(
    middleware: (
      socket: Client & { readonly request: IncomingMessage },
      next: (error?: Error) => void,
    ) => void,
  ): unknown
}

/**
 * Puts the guard before the gateways of an application: `app.useWebSocketAdapter(guardGateways(app, new WsAdapter(app)))`, for the
 * adapters of `ws` and of socket.io. Who connects is known by the request that it connects with; it is refused before a gateway learns
 * of it, and cut off when its access ends. Returns the adapter. Throws a ConfigurationError where the application does not import
 * CountersignModule.
 */
export function guardGateways<Adapter extends WebSocketAdapter<SocketServer, Client, ServerOptions>>(
  app: INestApplicationContext,
  adapter: Adapter,
): Adapter {
  const application = applicationIn(app)
  const create = adapter.create.bind(adapter)
  const bindClientConnect = adapter.bindClientConnect.bind(adapter)
  // Own members of this one adapter: whatever else it has stays as it is.
  const guarding: Pick<
    WebSocketAdapter<SocketServer, Client, ServerOptions>,
    'create' | 'bindClientConnect'
  > = {
    create(port, options = {}) {
      const place = gatewayPlace(port, options)
      const verifyClient = verifying(application, place, options.verifyClient)
      const server = create(port, { ...options, verifyClient })
      if (server.use !== undefined) server.use(middlewareFor(application, place))
      else if (server.options?.verifyClient !== verifyClient) throw unknownServer()
      return server
    },
    bindClientConnect(server, connected) {
      return bindClientConnect(server, (client: Client, request?: IncomingMessage, ...rest: unknown[]) => {
        const carrier = server.use === undefined ? request : client
        if (carrier !== undefined && takeIn(client, carrier, application.guard)) {
          Reflect.apply(connected, undefined, [client, request, ...rest])
        } else end(client, undefined)
      }) as unknown
    },
  }
  guarded.add(Object.assign(adapter, guarding))
  return adapter
}

/** True for an adapter that was given to `guardGateways`. */
export const guardsGateways = (adapter: WebSocketAdapter | null): boolean =>
  adapter !== null && guarded.has(adapter)

const guarded = new WeakSet<WebSocketAdapter>()

function verifying(
  application: Application,
  place: GatewayPlace,
  own: VerifyClient | undefined,
): VerifyClient {
  return (info, answer) => {
    whenDecided(askToConnect(application, place, info.req), (decision) => {
      if (decision.outcome === 'deny') {
        const { status, headers, body } = decision.response
        const { 'content-type': type, ...others } = headers
        // Spelled as `ws` spells its own, which this takes the place of.
        answer?.(false, status, body, { ...others, 'Content-Type': type })
      } else if (own === undefined) answer?.(true)
      else if (own.length > 1) own(info, answer)
      else answer?.(Boolean(own(info)))
    })
  }
}

const middlewareFor =
  (application: Application, place: GatewayPlace): Parameters<NonNullable<SocketServer['use']>>[0] =>
  (socket, next) => {
    whenDecided(askToConnect(application, place, socket.request, socket), (decision) => {
      if (decision.outcome === 'allow') next()
      else next(Object.assign(new Error('refused'), { data: tellingOf(decision) }))
    })
  }

function whenDecided(decision: Decision | Promise<Decision>, goOn: (decision: Decision) => void): void {
  if (decision instanceof Promise) void decision.then(goOn)
  else goOn(decision)
}

function applicationIn(app: INestApplicationContext): Application {
  try {
    return app.get(Application, { strict: false })
  } catch {
    throw new ConfigurationError('guardGateways(app, …)', 'the application imports no CountersignModule')
  }
}

const unknownServer = (): ConfigurationError =>
  new ConfigurationError(
    'guardGateways(…)',
    'expected the adapter of `ws` or of socket.io, which makes its own servers: write guardGateways(app, new WsAdapter(app))',
  )
