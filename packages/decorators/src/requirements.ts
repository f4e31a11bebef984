import {
  ConfigurationError,
  callerOptional,
  scopes,
  unprotected,
  type Requirement,
  type ScopeName,
} from '@countersign/core'
import { requirePlacement } from '@countersign/core/adapter'
import { decorator } from './decorator.ts'
import type { ClassDecorates, EitherDecorates, MethodDecorates } from './decorates.ts'

/** The caller must have all of these scopes: for this method, or on a class for each of its routes. */
export function RequireScopes(...names: [ScopeName, ...ScopeName[]]): EitherDecorates {
  return decorator({ says: 'requirement', placement: scopes(...names) }, '@RequireScopes(…)')
}

/** The caller must meet this requirement, such as `callerIs(…)`: for this method, or for each route of a class. */
export function Requires(requirement: Requirement): EitherDecorates {
  const placement = requirePlacement(requirement, '@Requires(…)')
  if ('reason' in placement) {
    throw new ConfigurationError('@Requires(…)', "expected a requirement: write @Unprotected('why') instead")
  }
  return decorator({ says: 'requirement', placement }, '@Requires(…)')
}

/** Everybody may call this method: no credential is read and there is no caller. The census keeps the reason. */
export function Unprotected(reason: string): MethodDecorates {
  return decorator({ says: 'exemption', placement: unprotected(reason) }, '@Unprotected(…)')
}

/** Who presents nothing may call this method too; who presents something is verified, and refused if it fails. */
export function CallerOptional(reason: string): MethodDecorates {
  return decorator({ says: 'exemption', placement: callerOptional(reason) }, '@CallerOptional(…)')
}

/**
 * Lets methods of a class that requires something say `@Unprotected` or `@CallerOptional`, which is an error otherwise.
 * Such a method then stands outside the requirements of this class, and of no other: each class of a hierarchy that
 * requires something has to allow it. Every other method keeps the floor.
 */
export function AllowUnprotected(): ClassDecorates {
  return decorator({ says: 'exemptions allowed' }, '@AllowUnprotected()')
}
