// RFC 8693, which the provider leaves to who sets it up: a user's token becomes one for the next service, with `act`.
import { randomUUID } from 'node:crypto'
import { createLocalJWKSet, jwtVerify, type JWK, type JWTPayload } from 'jose'
import {
  errors,
  type AccessToken,
  type ClientCredentials,
  type Provider,
  type ResourceServer,
} from 'oidc-provider'
import { tokenExchange } from './clients.ts'

const accessToken = 'urn:ietf:params:oauth:token-type:access_token'
const actors = new WeakMap<object, object>()

/** The claim `act` of a token that came of an exchange. */
export function actorOf(token: AccessToken | ClientCredentials): { act: object } | undefined {
  const act = actors.get(token)
  return act === undefined ? undefined : { act }
}

export function allowTokenExchange(
  provider: Provider,
  keys: readonly JWK[],
  resourceServer: (resource: string) => ResourceServer,
): void {
  const verifiers = createLocalJWKSet({ keys: keys.map(({ d: _private, ...jwk }) => jwk) })
  const handle: Parameters<typeof provider.registerGrantType<ExchangeParameters>>[1] = async (context) => {
    const { params, client } = context.oidc
    const { subject_token: subjectToken = '', resource = '', scope = '' } = params
    const options = { issuer: provider.issuer, typ: 'at+jwt' }
    const subject = await jwtVerify(subjectToken, verifiers, options).then(
      ({ payload }) => payload,
      () => {
        throw new errors.InvalidGrant('the subject token is not one of ours')
      },
    )
    const token = new provider.AccessToken({
      accountId: subject.sub ?? '',
      client,
      scope: narrowed(scope, subject),
      grantId: randomUUID(),
      gty: 'token_exchange',
    })
    token.resourceServer = new provider.ResourceServer(resource, resourceServer(resource))
    // RFC 8693 §4.1: who acts now is outermost, who acted before stands within.
    actors.set(token, { sub: client.clientId, client_id: client.clientId, ...within(subject) })
    context.body = {
      access_token: await token.save(),
      issued_token_type: accessToken,
      token_type: token.tokenType,
      expires_in: token.expiration,
    }
  }
  provider.registerGrantType(tokenExchange, handle, [
    'subject_token',
    'subject_token_type',
    'resource',
    'scope',
  ])
}

interface ExchangeParameters {
  readonly subject_token?: string
  readonly resource?: string
  readonly scope?: string
}

function narrowed(wanted: string, { scope }: JWTPayload): string {
  const held = new Set(String(scope).split(' '))
  if (wanted.split(' ').every((each) => held.has(each))) return wanted
  throw new errors.InvalidScope('more than the subject token has', wanted)
}

const within = ({ act }: JWTPayload): { act?: unknown } => (act === undefined ? {} : { act })
