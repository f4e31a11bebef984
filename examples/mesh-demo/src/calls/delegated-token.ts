// The token of a user for whom a service calls.
import { decodeJwt } from 'jose'
import type { IssuerCommands } from '../issuer/issuer.ts'
import type { RemoteProcess } from '../processes/remote-process.ts'
import { headerOf } from './hostile-tokens.ts'

/**
 * The token that the service would have got for a user who signed in there: issued to the same client, for somebody else. Signing in
 * takes a person and a browser, so the issuer signs it on the demo's own channel.
 */
export async function onBehalfOf(
  user: string,
  token: string,
  issuer: RemoteProcess<IssuerCommands>,
): Promise<string> {
  const { spiffe_id: _ofTheService, ...claims } = decodeJwt(token)
  return issuer.ask('mint', { header: headerOf(token), claims: { ...claims, sub: user } })
}
