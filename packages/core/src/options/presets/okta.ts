import { ConfigurationError } from '../../configuration-error.ts'
import type { IssuerOptions } from '../issuer-options.ts'
import { requireUrl } from './require-url.ts'

/**
 * A custom authorization server of Okta: `okta('https://shop.okta.com/oauth2/default')`.
 *
 * Assumes what Okta documents of them. Access tokens have `cid`, `scp` and a `jti` that starts with `AT.`; ID tokens' starts
 * with `ID.`. A token that a user stands behind has `uid`; one of a client alone has none, and its `sub` is the client.
 * The tokens of an organisation's own authorization server are for Okta alone: it does not publish what their keys are.
 */
export function okta(issuerUrl: string): IssuerOptions {
  const issuer = requireUrl(issuerUrl, 'okta', example)
  if (!/^\/oauth2\/[^/]+$/.test(new URL(issuer).pathname)) {
    throw new ConfigurationError(
      'okta',
      `expected a custom authorization server, such as '${example}': the tokens of the organisation's own, whose issuer is ` +
        'the bare domain, are meant for Okta and cannot be verified by anybody else',
    )
  }
  return {
    issuer,
    profile: 'oauth',
    isAccessToken: ({ cid, jti }) =>
      typeof cid === 'string' && typeof jti === 'string' && jti.startsWith('AT.'),
    represents: ({ cid, sub, uid }) => (uid === undefined && sub === cid ? 'workload' : 'user'),
    scopeClaims: ['scp'],
  }
}

const example = 'https://shop.okta.com/oauth2/default'
