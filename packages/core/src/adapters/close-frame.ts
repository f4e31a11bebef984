import type { Deny } from '../decision/decision.ts'

/** How a WebSocket is closed whose access has ended: code and reason of its close frame. */
export function closeFrame({ id, response }: Deny): { readonly code: number; readonly reason: string } {
  // RFC 6455 §7.4.1: 1008 is a policy that was violated; 1013, in the registry, asks to try again later.
  return response.status === 503
    ? { code: 1013, reason: `access cannot be checked now (decision ${id})` }
    : { code: 1008, reason: `access has ended (decision ${id})` }
}
