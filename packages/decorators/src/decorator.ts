import { ConfigurationError } from '@countersign/core'
import { record, recordAbove, wholeClass, type Declaration } from './declarations.ts'
import type { EitherDecorates } from './decorates.ts'
import { findSite } from './dialects.ts'
import { requirePath } from './path.ts'

/** Makes a decorator that records one declaration, whichever dialect calls it. `label` names it in messages. */
export function decorator(declaration: Declaration, label: string): EitherDecorates {
  return (...args: readonly unknown[]): void => {
    const site = findSite(label, args)
    requirePlace(declaration, site.key === wholeClass, site.name)
    if ('path' in declaration) requirePath(declaration.path, site.name)
    if (site.key !== wholeClass) recordAbove(site.value, site.key, declaration)
    site.eachPrototype((prototype) => record(prototype, site.key, declaration, site.name))
  }
}

function requirePlace({ says }: Declaration, isClass: boolean, where: string): void {
  if (says === 'controller' && !isClass) {
    throw new ConfigurationError(
      where,
      "stands above a class: above a method write a verb, such as @Get('/')",
    )
  }
  if (says === 'route' && isClass) {
    throw new ConfigurationError(where, "stands above a method: above the class write @Controller('/path')")
  }
  if (says === 'exemptions allowed' && !isClass) {
    throw new ConfigurationError(where, 'stands above a class: above the method write @Unprotected(reason)')
  }
  if (says === 'exemption' && isClass) {
    throw new ConfigurationError(
      where,
      'stands above a method: a reason is good for one route, so say it at each',
    )
  }
}
