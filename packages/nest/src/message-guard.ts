import { Inject, Injectable, SetMetadata, type CanActivate } from '@nestjs/common'
import { ConfigurationError } from '@countersign/core'
import { ModulesContainer } from '@nestjs/core'
import type { CountersignGuard } from './countersign-guard.ts'
import { metadata, metadataOf, type Class } from './framework.ts'
import { isGuarded } from './guarded-applications.ts'
import type { Holder } from './holders.ts'

/**
 * Stands at a class for the guard of the application that the class is used in. A class may be used in several applications of one
 * process, as tests do: each has a guard in the place of this, and in one that has none, nothing is guarded.
 */
class MessageGuard implements CanActivate {
  readonly #modules: ModulesContainer

  constructor(modules: ModulesContainer) {
    this.#modules = modules
  }

  canActivate(): boolean {
    if (!isGuarded(this.#modules)) return true
    throw new ConfigurationError(
      'CountersignModule',
      'this release of Nest takes guards of classes from elsewhere',
    )
  }
}
Inject(ModulesContainer)(MessageGuard, undefined, 0)
Injectable()(MessageGuard)

/**
 * Has Nest ask a guard about every message to these classes. It does not ask those of the application about gateways before Nest 12,
 * nor about patterns where a microservice was connected without `inheritAppConfig`, and says nothing of it.
 */
export function guardMessages(holders: readonly Holder[], guard: CountersignGuard): void {
  for (const { metatype, host } of holders) {
    const { constructor } = metatype.prototype as { readonly constructor: Class } // as Nest finds it
    for (const each of new Set([metatype, constructor])) standBefore(each)
    host?.addInjectable({ provide: MessageGuard, useValue: guard }, 'guard')
  }
}

function standBefore(controller: Class): void {
  const guards = [metadataOf(metadata.guards, controller) ?? []].flat()
  if (!guards.includes(MessageGuard)) SetMetadata(metadata.guards, [MessageGuard, ...guards])(controller)
}
