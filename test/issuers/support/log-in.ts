// A user of the web application logs in: the authorization code flow (RFC 6749 §4.1) with PKCE, with nobody at a keyboard.
import { createHash, randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Provider } from 'oidc-provider'
import { callback } from './clients.ts'
import type { RealIssuer } from './real-issuer.ts'
import { send, type Answer } from './send.ts'

/** What the application gets for a user. */
export interface UserTokens {
  readonly access_token: string
  readonly id_token: string
}

/** Logs `alice` in to the application, which wants to call a service on her behalf. */
export async function logIn(
  { issuer, ca }: RealIssuer,
  wanted: { readonly resource: string; readonly scope: string },
): Promise<UserTokens> {
  const verifier = randomBytes(32).toString('base64url')
  const query = new URLSearchParams({
    client_id: 'app',
    response_type: 'code',
    redirect_uri: callback,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    resource: wanted.resource,
    scope: `openid ${wanted.scope}`,
  })
  const code = await followUntilCode(`${issuer}/auth?${query.toString()}`, ca)
  const form = { grant_type: 'authorization_code', client_id: 'app', redirect_uri: callback, code }
  const { body, status } = await send(`${issuer}/token`, {
    method: 'POST',
    ca,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ ...form, code_verifier: verifier, resource: wanted.resource }).toString(),
  })
  if (status !== 200) throw new Error(`the issuer answered ${status} ${body}`)
  return JSON.parse(body) as UserTokens // RFC 6749 §5.1, OpenID Connect Core 1.0 §3.1.3.3
}

/** The provider's side of it: whoever comes is `alice`, and agrees to all that is asked. */
export async function answerInteraction(
  provider: Provider,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<boolean> {
  if (request.url?.startsWith('/interaction/') !== true) return false
  const { params } = await provider.interactionDetails(request, response)
  const accountId = 'alice'
  const grant = new provider.Grant({ accountId, clientId: String(params['client_id']) })
  const scope = String(params['scope'])
  grant.addOIDCScope(scope)
  grant.addResourceScope(String(params['resource']), scope)
  const result = { login: { accountId }, consent: { grantId: await grant.save() } }
  await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false })
  return true
}

// A browser follows redirects and keeps cookies.
async function followUntilCode(start: string, ca: string): Promise<string> {
  const cookies = new Map<string, string>()
  for (let url = start, i = 0; i < 10; i += 1) {
    const cookie = [...cookies].map((pair) => pair.join('=')).join('; ')
    const answer = await send(url, { ca, headers: { cookie } })
    for (const [name, value] of cookiesOf(answer)) cookies.set(name, value)
    const { location } = answer.headers
    if (location === undefined) throw new Error(`expected a redirect, got ${answer.status} ${answer.body}`)
    const next = new URL(location, url)
    const code = next.searchParams.get('code')
    if (code !== null) return code
    url = next.href
  }
  throw new Error('expected a code, got nothing but redirects')
}

const cookiesOf = ({ headers }: Answer): [name: string, value: string][] =>
  (headers['set-cookie'] ?? []).map((line) => {
    const [name = '', value = ''] = line.split(';', 1)[0]?.split('=', 2) ?? []
    return [name, value]
  })
