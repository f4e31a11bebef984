import type { Placement } from '@countersign/core'

/** What a middleware declares, and where the application says so. */
interface Declaration {
  readonly placement: Placement
  readonly declaredAt: string | null
}

const declarations = new WeakMap<object, Declaration>()

/** Makes a middleware known as a declaration. */
export function markDeclaration(handler: object, declaration: Declaration): void {
  declarations.set(handler, declaration)
}

/** What a middleware declares; undefined where it is none of ours. */
export const placementOf = (handler: object): Placement | undefined => declarations.get(handler)?.placement

/** Where a middleware was made a declaration; null where that is not known. */
export const declaredAtOf = (handler: object): string | null => declarations.get(handler)?.declaredAt ?? null
