import type { InboundRequest } from '../request/inbound-request.ts'

/** What is asked for, beside who asks: requirements may look at it. */
export interface Occasion {
  readonly request: InboundRequest
  /** As the framework registered it, such as `GET /orders/:id`. */
  readonly route: string
  /**
   * The same with the method that was registered, as policy documents spell it: `GET /orders/:id` also for HEAD requests that it
   * answers, `* /orders/:id` for a route of all methods. Empty where a router asks, before any route is chosen.
   */
  readonly registered: string
  /** What the path has in place of its names, as the framework reads it. A caller's text. */
  readonly params: Readonly<Record<string, unknown>>
  /** What context providers say, by their names. */
  readonly context: Readonly<Record<string, unknown>>
}
