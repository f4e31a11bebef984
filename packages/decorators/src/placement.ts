// Who may call a method, by all that its classes say of it: the rules.
import { ConfigurationError, type Placement } from '@countersign/core'
import { joinPlacements } from '@countersign/core/adapter'
import { wholeClass, type Key, type Said } from './declarations.ts'
import { ofKind, saidOf, type Level } from './hierarchy.ts'

/**
 * All requirements of all classes and of the method, as one; or the method's exemption, where every class that requires
 * something allows that. Throws a ConfigurationError for what cannot be true at once; nothing wins quietly.
 */
export function placementIn(levels: readonly Level[], key: Key, name: string): Placement | undefined {
  const own = saidOf(levels, key)
  const [exemption, another] = ofKind(own, 'exemption')
  const required = ofKind(own, 'requirement')
  if (exemption === undefined) {
    const floor = ofKind(saidOf(levels, wholeClass), 'requirement')
    return joinPlacements([...floor, ...required].map(({ placement }) => placement))
  }
  requireAllowed(levels, key, name, exemption)
  const conflict = another ?? required[0]
  if (conflict === undefined) return exemption.placement
  throw new ConfigurationError(name, `says both ${textOf([exemption, conflict])}: leave one of them`)
}

/** Each class decides of what it requires itself, and never of what its base classes require. */
function requireAllowed(
  levels: readonly Level[],
  key: Key,
  name: string,
  exemption: Said<'exemption'>,
): void {
  const origin = levels.findIndex(({ defines }) => defines.has(key))
  const spoken = levelThatSays(levels, key, exemption)
  for (const [i, level] of levels.entries()) {
    const ofClass = saidOf([level], wholeClass)
    const required = ofKind(ofClass, 'requirement')
    if (required.length === 0) continue
    if (ofKind(ofClass, 'exemptions allowed').length === 0) {
      throw new ConfigurationError(
        name,
        `a class that requires ${textOf(required)} cannot have an unprotected method: move it to a controller of its own, or write @AllowUnprotected() above class ${level.name} too`,
      )
    }
    if (i < spoken && origin < spoken) {
      throw new ConfigurationError(
        name,
        `an override cannot be unprotected where class ${level.name} requires ${textOf(required)} of the method that it inherits: say it where the method is first written, or give the route a method of its own`,
      )
    }
  }
}

/** The class that says it. Where decorators of others hide that, the newest that can have said it. */
function levelThatSays(levels: readonly Level[], key: Key, exemption: Said<'exemption'>): number {
  const defining = levels.flatMap(({ defines }, i) => (defines.has(key) ? [i] : []))
  const [only, another] = defining
  if (only !== undefined && another === undefined) return only
  return levels.findIndex((level) => saidOf([level], key).includes(exemption))
}

const textOf = (declarations: readonly { readonly placement: Placement }[]): string =>
  declarations.map(({ placement }) => placement.text).join(' and ')
