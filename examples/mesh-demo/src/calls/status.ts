// What is answered, in HTTP and in gRPC.
import { refusals, type RefusalCode } from '@countersign/core'
import { speaksGrpc } from '../workloads.ts'
import type { Call } from './call.ts'

/** The status that a refusal has to have. */
export function refusalStatus({ callee }: Call, code: RefusalCode): number {
  const { stage, status } = refusals[code]
  if (!speaksGrpc(callee)) return status
  // PERMISSION_DENIED is for callers who are known. Whatever is wrong with a credential is UNAUTHENTICATED.
  const isKnown = stage === 'policy' || stage === 'enforcement'
  return isKnown && status === 403 ? grpc.PERMISSION_DENIED : grpc.UNAUTHENTICATED
}

export const isSuccess = ({ callee }: Call, status: number): boolean =>
  speaksGrpc(callee) ? status === grpc.OK : status >= 200 && status <= 299

/** As people of the protocol write it: `403`, or `PERMISSION_DENIED`. */
export const statusText = ({ callee }: Call, status: number): string =>
  (speaksGrpc(callee) && grpcNames.get(status)) || String(status)

const grpc = { OK: 0, PERMISSION_DENIED: 7, UNAUTHENTICATED: 16 } as const

const grpcNames = new Map<number, string>(Object.entries(grpc).map(([name, status]) => [status, name]))
