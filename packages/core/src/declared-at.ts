import { isAbsolute, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * Where the application called `declares`, as `src/orders.ts:12` below the working directory, else with the whole path; null where
 * that cannot be told. For adapters, once for each declaration: it makes a stack trace.
 */
export function declaredAt(declares: (...args: never[]) => unknown): string | null {
  const [, location = ''] = /^ +at (?:async )?(?:.*? \()?(.+:\d+):\d+\)?$/m.exec(stackBehind(declares)) ?? []
  const [, file = '', line = ''] = /^(.+):(\d+)$/.exec(location) ?? []
  const path = pathOf(file)
  return path === undefined ? null : `${fromHere(path)}:${line}`
}

function stackBehind(declares: (...args: never[]) => unknown): string {
  const holder: { readonly stack?: unknown } = {}
  const limit = Object.getOwnPropertyDescriptor(Error, 'stackTraceLimit')
  try {
    Error.stackTraceLimit = 1
    Error.captureStackTrace(holder, declares)
    // Made when it is first read, by code that an application may have put in place of V8's.
    return typeof holder.stack === 'string' ? holder.stack : ''
  } catch {
    return ''
  } finally {
    if (limit?.writable === true) Object.defineProperty(Error, 'stackTraceLimit', limit)
  }
}

// ES modules are shown as URLs. What is no file, such as `node:internal/…` or `eval at …`, has no place to show.
function pathOf(file: string): string | undefined {
  try {
    const path = file.startsWith('file:') ? fileURLToPath(file) : file
    return isAbsolute(path) ? path : undefined
  } catch {
    return undefined
  }
}

function fromHere(path: string): string {
  try {
    const below = relative(process.cwd(), path)
    return below === '..' || below.startsWith(`..${sep}`) || isAbsolute(below) ? path : below
  } catch {
    // The working directory was deleted.
    return path
  }
}
