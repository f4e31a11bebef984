import { DiscoveryService, type ModulesContainer } from '@nestjs/core'
import type { InstanceWrapper } from '@nestjs/core/injector/instance-wrapper.js'
import { metadata, metadataOf, type Class } from './framework.ts'

/** A class that Nest takes handlers from, and the module that it stands in. */
export type Holder = InstanceWrapper & { readonly metatype: Class }

/** All of them, as they are when every module was scanned. */
export function holdersIn(modules: ModulesContainer): {
  readonly controllers: readonly Holder[]
  readonly gateways: readonly Holder[]
} {
  const discovery = new DiscoveryService(modules)
  return {
    controllers: discovery.getControllers().filter(isHolder),
    gateways: discovery.getProviders().filter(isHolder).filter(isGateway),
  }
}

// What a test puts in the place of a class is none.
const isHolder = (wrapper: InstanceWrapper): wrapper is Holder => typeof wrapper.metatype === 'function'

const isGateway = ({ metatype }: Holder): boolean => metadataOf(metadata.isGateway, metatype) === true
