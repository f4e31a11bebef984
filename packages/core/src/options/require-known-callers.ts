import { ConfigurationError } from '../configuration-error.ts'
import type { ClaimPath, TrustedIssuer } from '../identity/trust/trusted-issuer.ts'

/**
 * Issuers that give anybody in the world a token for any audience, and the claims that tell whose it is. Names of
 * repositories and owners are none of them: others can take a name over.
 */
const openToAll: ReadonlyMap<string, readonly string[]> = new Map([
  ['https://accounts.google.com', []],
  ['https://token.actions.githubusercontent.com', ['repository_id', 'repository_owner_id', 'enterprise_id']],
])

/** Where signature and audience say nothing of who calls, who may call has to be written down. */
export function requireKnownCallers(
  { issuer, subjects, requiredClaims }: Pick<TrustedIssuer, 'issuer' | 'subjects' | 'requiredClaims'>,
  option: string,
): void {
  const telling = openToAll.get(issuer)
  if (telling === undefined || subjects !== undefined) return
  const tells = ([name, ...below]: ClaimPath): boolean => below.length === 0 && telling.includes(name)
  if (requiredClaims.some(({ path }) => tells(path))) return
  const claims = telling.map((name) => `\`${name}\``).join(' or ')
  throw new ConfigurationError(
    `${option}.subjects`,
    `\`${issuer}\` gives anybody in the world a token for any audience: name who may call, in \`subjects\`${
      claims === '' ? '' : `, or in \`requiredClaims\` by ${claims}`
    }`,
  )
}
