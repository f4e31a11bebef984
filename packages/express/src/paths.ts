import { unknownPath } from './way.ts'

const paths = new WeakMap<object, string>()

/** Remembers the path, as written, of a declaration in a `use`. */
export function rememberPath(of: object, path: string): void {
  paths.set(of, path)
}

/** The path of a declaration in a `use`, for events and logs: as it was written, never what a caller made of it. */
export const declarationPath = (declaration: object): string => paths.get(declaration) ?? unknownPath
