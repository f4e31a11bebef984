import type { Application } from 'express'

/**
 * The application behind a handler that `app.use(other)` has made. Express keeps it in a closure, but shows it to each request: it
 * gives the request the prototype of that application, before anything of the application runs. So it is given something that
 * stands for a request, has no path to be routed by once that was seen, and goes nowhere.
 */
export function applicationBehind(handler: object): Application | undefined {
  if (typeof handler !== 'function' || handler.name !== 'mounted_app') return undefined
  const known = applications.get(handler)
  if (known !== undefined) return known
  const application = ask(handler as Mounted)
  if (application !== undefined) applications.set(handler, application)
  return application
}

/** As Express makes it. */
type Mounted = (request: object, response: object, next: () => void) => void

const applications = new WeakMap<object, Application>()

function ask(mounted: Mounted): Application | undefined {
  let found: Application | undefined
  const asking: { url: string | undefined; readonly [name: string]: unknown } = {
    method: 'GET',
    url: '/',
    headers: {},
    // Whose prototypes it gives back when it is done.
    app: { request: {}, response: {} },
  }
  const request = new Proxy(asking, {
    setPrototypeOf(_target, prototype: { readonly app?: Application } | null) {
      found ??= prototype?.app
      // No router matches a request without a path.
      asking.url = undefined
      return true
    },
  })
  try {
    mounted(request, { setHeader: () => undefined }, () => undefined)
  } catch {
    // A release that asks more of a request: its routes are guarded like any other, and not listed.
  }
  return found
}
