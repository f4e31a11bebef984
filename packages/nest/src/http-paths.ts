import { RequestMethod } from '@nestjs/common'
import type { ApplicationConfig, HttpAdapterHost } from '@nestjs/core'
import { RoutePathFactory, metadata, metadataOf, withSlash, type Class, type Handler } from './framework.ts'
import type { Holder } from './holders.ts'
import type { Spelling } from './entry-points.ts'

/**
 * The routes of a handler as Nest registers them with its platform: with prefix, version, module path, and in the platform's spelling.
 * Nest's own factory makes them.
 */
export function httpPaths(
  { metatype, host: module }: Holder,
  handler: Handler,
  config: ApplicationConfig,
  { httpAdapter }: HttpAdapterHost,
  applicationId: string,
): readonly Spelling[] {
  const factory = new RoutePathFactory(config)
  const versioningOptions = config.getVersioning()
  const requestMethod = metadataOf(metadata.requestMethod, handler) as RequestMethod // what `@Get` and the others leave
  const common = {
    modulePath: modulePathOf(module?.metatype, applicationId),
    globalPrefix: withSlash(config.getGlobalPrefix()),
    versioningOptions,
    controllerVersion:
      versioningOptions && (metadataOf(metadata.version, metatype) ?? versioningOptions.defaultVersion),
    methodVersion: metadataOf(metadata.version, handler),
  }
  const paths = listOf(metadataOf(metadata.path, metatype)).flatMap((ctrlPath) =>
    listOf(metadataOf(metadata.path, handler)).flatMap(
      (methodPath) =>
        factory.create(
          { ...common, ctrlPath, methodPath } as Parameters<RoutePathFactory['create']>[0],
          requestMethod,
        ), // versions as Nest's decorators have checked them
    ),
  )
  const method = requestMethod === RequestMethod.ALL ? '*' : (RequestMethod[requestMethod] ?? '*')
  return [...new Set(paths)].map((path) => ({ method, path: httpAdapter?.normalizePath?.(path) ?? path }))
}

function modulePathOf(module: Class | undefined, applicationId: string): string | undefined {
  if (module === undefined) return undefined
  const path =
    metadataOf(metadata.modulePath + applicationId, module) ?? metadataOf(metadata.modulePath, module)
  return typeof path === 'string' ? path : undefined
}

const listOf = (paths: unknown): readonly string[] => [paths].flat().map(withSlash)
