import type { CensusEntry, Decision } from '@countersign/core'
import {
  censusEntry,
  spelled,
  type Guard,
  type Placement,
  type RequestContext,
} from '@countersign/core/adapter'
import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify'
import { askedIn, type Asked } from './asked.ts'
import { declarationsIn, declaredAtIn, isDeclaredIn, registeredAt } from './route-options.ts'

/** What stands for a route in its `config`, which Fastify copies for each path and hands to requests. */
const mark = Symbol('countersign route')

declare module 'fastify' {
  interface FastifyContextConfig {
    readonly [mark]?: DeclaredRoute
  }
}

/** How a route is called for one method. */
interface Names {
  /** For events: the method of the request. */
  readonly name: string
  /** For policy documents: the method that was registered. */
  readonly registered: string
}

/** The route that Fastify has chosen; undefined for one that was not seen when it was registered. */
export const routeOf = (request: FastifyRequest): DeclaredRoute | undefined =>
  request.routeOptions.config[mark]

/** A route as Fastify tells of it. Hooks may change its options until the application is ready, so they are read when first asked for. */
export class DeclaredRoute {
  readonly context: FastifyInstance
  /** As it was registered, prefixes included. Of a route for `/` below a prefix, without the slash. */
  readonly path: string
  readonly #methods: readonly string[]
  readonly #isForAll: boolean
  readonly #options: RouteOptions
  readonly #application: readonly DeclaredRoute[]
  readonly #registeredAt: string | null
  readonly #names = new Map<string, Names>()
  #read: Asked | undefined

  /** `application`: all routes, those to come included. */
  constructor(context: FastifyInstance, options: RouteOptions, application: readonly DeclaredRoute[]) {
    this.context = context
    this.path = options.url
    this.#methods = [options.method].flat()
    this.#isForAll = context.supportedMethods.every((method) => this.#methods.includes(method))
    this.#options = options
    this.#application = application
    this.#registeredAt = registeredAt(context, options)
    options.config = { ...options.config, [mark]: this }
  }

  get spelling(): string {
    return spelled({ method: this.#methods.join('|'), path: this.path })
  }

  /** False where a hook has put another object in the place of its `config`: then no request would be known to be for it. */
  get isKnown(): boolean {
    return this.#options.config?.[mark] === this
  }

  /** True if it says itself who may call. */
  get isDeclared(): boolean {
    return isDeclaredIn(this.#options)
  }

  /** A preflight for nothing but an answer to `OPTIONS`, of which nobody says who may call it. */
  isPlainPreflight(context: RequestContext): boolean {
    return (
      this.#methods.every((method) => method === 'OPTIONS') &&
      this.#asked.own === undefined &&
      this.#asked.floor === undefined &&
      context.isPreflightFor(this.#namesFor('OPTIONS').registered)
    )
  }

  /** What it says itself. Throws a ConfigurationError for anything that is no requirement. */
  declarations(): readonly Placement[] {
    return declarationsIn(this.#options, this.spelling)
  }

  decide(context: RequestContext, { method, params }: FastifyRequest): Decision | Promise<Decision> {
    const { name, registered } = this.#namesFor(method)
    // Fastify's router gives an object of texts.
    const texts = params as Readonly<Record<string, unknown>>
    return context.decide(this.#asked.placement, name, false, texts, registered)
  }

  /** For the census. `HEAD` is not listed beside the `GET` whose handler it runs. */
  entries(guard: Guard | undefined): readonly CensusEntry[] {
    const listed = this.#isForAll ? ['*'] : this.#methods.filter((method) => !this.#isPartOfGet(method))
    return listed.map((method) => censusEntry({ ...this.#asked, method, path: this.path }, guard))
  }

  get #asked(): Asked {
    return (this.#read ??= this.#readAsked())
  }

  #readAsked(): Asked {
    const own = this.declarations()
    const declared = own.length > 0 ? own : this.#gets.flatMap((get) => get.declarations())
    return askedIn(this.context, declared, declaredAtIn(this.#options) ?? this.#registeredAt)
  }

  #namesFor(method: string): Names {
    let names = this.#names.get(method)
    if (names === undefined) {
      // A hook may have put a caller's text in place of the method.
      if (!this.#methods.includes(method)) return this.#nameAs('*', '*')
      const isHead = method === 'HEAD' && (this.#methods.includes('GET') || this.#gets.length > 0)
      names = this.#nameAs(method, this.#isForAll ? '*' : isHead ? 'GET' : method)
      this.#names.set(method, names)
    }
    return names
  }

  #nameAs(method: string, registered: string): Names {
    const path = this.#gets[0]?.path ?? this.path
    return { name: spelled({ method, path }), registered: spelled({ method: registered, path }) }
  }

  #isPartOfGet(method: string): boolean {
    if (method !== 'HEAD') return false
    return (
      this.#methods.includes('GET') ||
      this.#gets.some((get) => get.#asked.own?.text === this.#asked.own?.text)
    )
  }

  /**
   * Of a route for `HEAD`, those for `GET` at its path: what is said of them holds for it, too. Below a prefix, Fastify registers `HEAD`
   * for `/` with and without the slash, and tells of `GET` only once.
   */
  get #gets(): readonly DeclaredRoute[] {
    if (!this.#methods.includes('HEAD') || this.#methods.includes('GET')) return []
    return this.#application.filter(
      (route) => route.#methods.includes('GET') && [route.path, `${route.path}/`].includes(this.path),
    )
  }
}
