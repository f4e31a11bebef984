import { readFileSync } from 'node:fs'
import { ConfigurationError } from '../configuration-error.ts'
import { TokenReviewer } from '../identity/introspection/token-review.ts'
import type { TokenProfile } from '../identity/token/profile.ts'
import type { IssuerOptions } from './issuer-options.ts'
import { mayUse, requireSafeUrl, type IssuerContext } from './issuer-url.ts'
import { readCa, requireKnownKeys } from './option-values.ts'

/** Parses `tokenReview` of an issuer, if it has any. Throws a ConfigurationError that says what to write instead. */
export function parseTokenReview(
  { issuer, tokenReview }: IssuerOptions,
  { name }: TokenProfile,
  option: string,
  context: IssuerContext,
): TokenReviewer | undefined {
  if (tokenReview === undefined) return undefined
  const at = `${option}.tokenReview`
  if (name !== 'kubernetes') {
    throw new ConfigurationError(at, "it asks about service account tokens: write `profile: 'kubernetes'`")
  }
  requireKnownKeys(tokenReview, at, ['apiServer', 'ca', 'bearerFile'])
  const { apiServer, ca, bearerFile } = tokenReview
  const url = requireSafeUrl(apiServer, `${at}.apiServer`, (each) => mayUse(each, context))
  if (url.search !== '' || url.hash !== '') {
    throw new ConfigurationError(
      `${at}.apiServer`,
      "expected the API server alone, such as 'https://kubernetes.default.svc'",
    )
  }
  if (typeof bearerFile !== 'string' || bearerFile === '') {
    throw new ConfigurationError(`${at}.bearerFile`, 'expected the path of a file that holds a token')
  }
  const { clock, fetch } = context
  return new TokenReviewer({
    issuer,
    apiServer: url,
    ca: readCa(ca, `${at}.ca`),
    bearer: () => readFileSync(bearerFile, 'utf8'),
    maxConcurrent: 32,
    clock,
    fetch,
  })
}
