import { ForbiddenException } from '@nestjs/common'
import { refusals, type Deny } from '@countersign/core'

type ExceptionOf = (error: object) => Error

/** The exceptions by which Nest tells callers what is wrong, beside those of HTTP. */
export interface Refusing {
  readonly rpc: ExceptionOf
  readonly ws: ExceptionOf
}

/** What a caller is told where it is told in an object: no more than on HTTP. */
export const tellingOf = ({ id, refusal }: Deny): object => ({
  status: 'error',
  message: refusals[refusal.code].sentence,
  decision: id,
})

/** Loads those that an application needs. Packages that it does not need may be absent. */
export async function loadRefusing({
  hasPatterns,
  hasGateways,
}: {
  readonly hasPatterns: boolean
  readonly hasGateways: boolean
}): Promise<Refusing> {
  const rpc = hasPatterns ? (await import('@nestjs/microservices')).RpcException : undefined
  const ws = hasGateways ? (await import('@nestjs/websockets')).WsException : undefined
  return {
    rpc: (error) => (rpc === undefined ? new ForbiddenException(error) : new rpc(error)),
    ws: (error) => (ws === undefined ? new ForbiddenException(error) : new ws(error)),
  }
}
