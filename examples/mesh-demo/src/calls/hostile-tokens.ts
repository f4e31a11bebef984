// Real tokens with one thing wrong.
import { SignJWT, decodeJwt, decodeProtectedHeader, generateKeyPair, type JWTHeaderParameters } from 'jose'
import type { IssuerCommands } from '../issuer/issuer.ts'
import type { RemoteProcess } from '../processes/remote-process.ts'

/** The token as its issuer would have signed it two hours ago. The signature is real: only its time has passed. */
export async function expire(token: string, issuer: RemoteProcess<IssuerCommands>): Promise<string> {
  const claims = decodeJwt(token)
  const twoHoursAgo = Math.floor(Date.now() / 1000) - 7200
  return issuer.ask('mint', {
    header: headerOf(token),
    claims: { ...claims, iat: twoHoursAgo, exp: twoHoursAgo + 3600 },
  })
}

/** The same header and claims, signed by a stranger's key under the issuer's `kid`. */
export async function forge(token: string): Promise<string> {
  const { privateKey } = await generateKeyPair('ES256')
  return new SignJWT(decodeJwt(token)).setProtectedHeader(headerOf(token)).sign(privateKey)
}

/** The same claims under `alg: none`, with nothing for a signature. (RFC 8725 §3.2) */
export function unsign(token: string): string {
  const header = JSON.stringify({ ...decodeProtectedHeader(token), alg: 'none' })
  const [, claims] = token.split('.')
  return `${Buffer.from(header).toString('base64url')}.${claims}.`
}

/** Its header, for a token that differs from it in its claims alone. */
export function headerOf(token: string): JWTHeaderParameters {
  const { alg = '', ...others } = decodeProtectedHeader(token)
  return { ...others, alg }
}
