import { pathText, type Route } from './framework.ts'
import { unknownPath } from './router-tree.ts'

const paths = new WeakMap<object, string>()

/** Remembers the path, as written, of a route or of a declaration in a `use`. */
export function rememberPath(of: object, path: string): void {
  paths.set(of, path)
}

/** The path of a declaration in a `use`, for events and logs. */
export const declarationPath = (declaration: object): string => paths.get(declaration) ?? unknownPath

/** The path of a route for events and logs: as it was written, never what a caller made of it. */
export const routePath = (route: Route, baseUrl: string): string =>
  paths.get(route) ?? `${baseUrl === '' ? '' : unknownPath}${pathText(route.path)}`
