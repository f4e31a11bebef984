import type { Placement } from '../policy/placement.ts'

/** What a handler declares, and where the application says so. */
interface Declaration {
  readonly placement: Placement
  readonly declaredAt: string | null
}

const declarations = new WeakMap<object, Declaration>()

/** Makes a handler known as a declaration. */
export function markDeclaration(handler: object, declaration: Declaration): void {
  declarations.set(handler, declaration)
}

/** What a handler declares; undefined where it is none of ours. */
export const placementOf = (handler: object): Placement | undefined => declarations.get(handler)?.placement

/** Where a handler was made a declaration; null where that is not known. */
export const declaredAtOf = (handler: object): string | null => declarations.get(handler)?.declaredAt ?? null
