import type { SignedText } from '../../../packages/core/src/identity/jws/compact-jws.ts'

/** A compact JWS taken apart, however it is written. */
export function signedText(jws: string): SignedText {
  const end = jws.lastIndexOf('.')
  return { signed: jws.slice(0, Math.max(0, end)), signature: Buffer.from(jws.slice(end + 1), 'base64url') }
}
