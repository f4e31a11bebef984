import { ConfigurationError } from '@countersign/core'
import { quoted } from '@countersign/core/adapter'

/** What a route is called in the census, in events and in policy documents: `GET /orders/:id`. */
export class RouteName {
  /** Upper-case, or `*`. */
  readonly method: string
  readonly path: string
  readonly spelled: string

  private constructor(method: string, path: string) {
    this.method = method
    this.path = path
    this.spelled = `${method} ${path}`
  }

  /** Throws a ConfigurationError that says what to write. */
  static parse(spelling: string): RouteName {
    const [, method = '', path = ''] = /^(\S+) (\/[^\s?#]*)$/.exec(spelling) ?? []
    if (method === '*' || METHODS.includes(method)) return new RouteName(method, path)
    throw new ConfigurationError(
      'route',
      `expected a method, or *, and a path, such as 'GET /orders/:id', got ${quoted(spelling)}`,
    )
  }

  /** The methods that it answers: `GET` answers HEAD too (RFC 9110 §9.3.2). Undefined for all. */
  get allowed(): readonly string[] | undefined {
    if (this.method === '*') return undefined
    return this.method === 'GET' ? ['GET', 'HEAD'] : [this.method]
  }

  /** The name of one request to it. A method that is none of the standard's is the caller's own text. */
  of(method: string | undefined): string {
    if (method === this.method) return this.spelled
    return `${method !== undefined && METHODS.includes(method) ? method : '*'} ${this.path}`
  }
}

// An import of `node:http` by name reads all its names, and so loads Node's fetch and WebSocket client.
const { METHODS } = process.getBuiltinModule('node:http')
