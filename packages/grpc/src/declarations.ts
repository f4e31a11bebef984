import { scopes, type Placement, type Requirement, type ScopeName } from '@countersign/core'
import { requirePlacement } from '@countersign/core/adapter'

/** Says who may call a method. Throws a ConfigurationError for anything that is not a requirement. */
export const requires = (placement: Placement): Placement => requirePlacement(placement, 'requires(…)')

/** The caller must have all of these scopes. */
export const requireScopes = (...names: [ScopeName, ...ScopeName[]]): Requirement => scopes(...names)
