import { placementOf } from '@countersign/decorators'
import { requires } from '@countersign/express'
import type { RequestHandler } from 'express'
import { ExpressDriver, type Action, type ActionMetadata } from 'routing-controllers'

type Verb = (path: unknown, ...handlers: readonly RequestHandler[]) => unknown

/** Places on every route, before any handler, what the controller and the action say of their callers. */
export class GuardedDriver extends ExpressDriver {
  override registerAction(action: ActionMetadata, execute: (action: Action) => unknown): void {
    const { target } = action.controllerMetadata
    const placement = placementOf(target, action.method)
    // Without a declaration the route is left as it is: the guard refuses it, as its `undeclared` says.
    const first = placement === undefined ? [] : [requires(placement)]
    const app: Record<string, Verb> = this.express
    const verb = action.type.toLowerCase()
    this.express = {
      [verb]: (path: unknown, ...handlers: readonly RequestHandler[]) =>
        app[verb]?.(path, ...first, ...handlers),
    }
    try {
      super.registerAction(action, execute)
    } finally {
      this.express = app
    }
  }
}
