import { ConfigurationError } from '@countersign/core'
import { mounterFor } from '@countersign/core/adapter'
import { seal } from './declarations.ts'
import { requireInstance } from './instance.ts'
import { routesOf } from './routes.ts'

/**
 * Places the routes of a controller in an application or router: `mount(app, new Orders(db))`. Throws a
 * ConfigurationError, before any route is placed, that says what is wrong with the class and what to write.
 */
export function mount(app: object, instance: object): void {
  const routes = routesOf(requireInstance(instance, 'mount(app, …)'))
  const mounter = mounterFor(app)
  if (mounter === undefined) {
    throw new ConfigurationError(
      'mount(app, …)',
      'no adapter recognises this application: call app.use(countersign({…})) before mount(app, …)',
    )
  }
  seal(Reflect.getPrototypeOf(instance) ?? instance)
  mounter.mount(app, routes)
}
