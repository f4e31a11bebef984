// The service that pricing.proto defines. The types stand here as a generator would write them.
import { join } from 'node:path'
import type { MethodDefinition } from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'

export interface Price {
  readonly sku: string
  readonly cents?: number
  readonly calledBy?: string
}

type PricesDefinition = Readonly<Record<'Get' | 'Set', MethodDefinition<Price, Price>>>

/** What defines it. */
export const protoFile = join(import.meta.dirname, 'pricing.proto')

export const PricesService = loadSync(protoFile)['shop.Prices'] as unknown as PricesDefinition // as the file says
