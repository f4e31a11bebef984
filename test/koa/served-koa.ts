import { ServedApp, type Answer, type Call } from '../express/served-app.ts'
import Router15 from '@koa/router'
// @ts-expect-error -- an alias, for which there are no types; its interface is that of the newer as far as tests go
import Router12 from '@koa/router12'
import Koa3 from 'koa'
// @ts-expect-error -- likewise
import Koa2 from 'koa2'
import type { Middleware } from 'koa'
// @ts-expect-error -- it has no types
import untypedMount from 'koa-mount'

export { bearer, testIssuer, type Answer } from '../express/served-app.ts'

/** Both ends of what the adapter promises to work on; the types are those of the newer. */
export const koaVersions: readonly (readonly [name: string, Koa: typeof Koa3, Router: typeof Router15])[] = [
  ['Koa 3 and router 15', Koa3, Router15],
  ['Koa 2.15 and router 12', Koa2, Router12],
]

export type App = Koa3
export type AppRouter = Router15

/** koa-mount, which keeps what it mounts in a function. */
export const mount = untypedMount as (
  path: string,
  mounted: Middleware | App | readonly unknown[],
) => Middleware

/** koa-compose, as koa-mount shows it. */
export const compose = (handlers: readonly unknown[]): Middleware => mount('/', handlers)

/** A router behind a function. */
export const wrap =
  (router: AppRouter): Middleware =>
  (context, next) => {
    const inner = router.routes() as unknown as Middleware // what it needs beyond Koa's context it brings itself
    return inner(context, next)
  }

/** Applications that are served when they are called first: Koa takes no middleware after that. */
export class Served {
  readonly #served = new Map<App, Promise<ServedApp>>()

  async call(app: App, path: string, call?: Call): Promise<Answer> {
    let served = this.#served.get(app)
    if (served === undefined) {
      app.silent = true
      const listener = app.callback()
      served = ServedApp.start((request, response) => void listener(request, response))
      this.#served.set(app, served)
    }
    return (await served).call(path, call)
  }

  async close(): Promise<void> {
    for (const served of this.#served.values()) await (await served).close()
    this.#served.clear()
  }
}
