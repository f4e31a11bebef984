import type { Placement } from '@countersign/core'
import { joinPlacements } from '@countersign/core/adapter'
import { placementOf } from '@countersign/decorators'
import type { Class, Handler } from './framework.ts'
import { methodsOf, namesOf } from './methods.ts'

/**
 * Who may call a handler, by all that its classes say of it; undefined where none of them says anything. Throws a ConfigurationError
 * for what cannot be true at once.
 */
export function placementFor(controller: Class, handler: Handler): Placement | undefined {
  // Nest decorates the function, ours say something of a method by its name.
  return joinPlacements(namesOf(controller, handler).flatMap((name) => placementOf(controller, name) ?? []))
}

/** What a gateway says of whoever connects: what it says of all its messages, and of its `handleConnection`. */
export const placementForConnections = (gateway: Class): Placement | undefined =>
  placementOf(gateway, methodsOf(gateway).has('handleConnection') ? 'handleConnection' : 'constructor')
