import { ConfigurationError } from '../../configuration-error.ts'
import type { IssuerOptions, RequiredClaimOption } from '../issuer-options.ts'
import { requireKnownKeys, requireSetLimits } from '../option-values.ts'

type Names = readonly [string, ...string[]]

export interface GitHubActionsOptions {
  /** Ids of the repositories whose jobs may call (`repository_id`): digits, as text. */
  readonly repositoryIds?: Names
  /** Ids of the users or organisations whose repositories' jobs may call (`repository_owner_id`): digits, as text. */
  readonly ownerIds?: Names
  /** Only jobs in one of these deployment environments. Needs `repositoryIds` or `ownerIds`. */
  readonly environments?: Names
  /** Only jobs on one of these refs, such as `refs/heads/main`. Needs `repositoryIds` or `ownerIds`. */
  readonly refs?: Names
  /** Slug of an enterprise that has its own issuer at github.com. Default: the issuer of all. */
  readonly enterprise?: string
  /** Of a GitHub at another place, such as `https://github.internal/_services/token`. Default: github.com. */
  readonly issuer?: string
}

/**
 * The identity of GitHub Actions jobs: `githubActions({ repositoryIds: ['456789'], environments: ['production'] })`.
 *
 * Any repository at GitHub can have a token for any audience. So jobs are held to the ids of repositories or their owners;
 * without one, only callers whom `grants` names are accepted. Names of repositories and owners can be taken over by others,
 * which is why they are no options here. The tokens carry no scopes.
 */
export function githubActions(options: GitHubActionsOptions = {}): IssuerOptions {
  requireKnownKeys(options, 'githubActions', [...pins.map(({ option }) => option), 'enterprise', 'issuer'])
  requireSetLimits(
    options,
    'githubActions',
    pins.map(({ option }) => option),
  )
  const isPinned = options.repositoryIds !== undefined || options.ownerIds !== undefined
  const requiredClaims = pins.flatMap(({ option, claim, pattern, example }): RequiredClaimOption[] => {
    const names = options[option]
    if (names === undefined) return []
    if (!Array.isArray(names) || names.length === 0 || !names.every((name) => isMatch(name, pattern))) {
      throw new ConfigurationError(`githubActions.${option}`, `expected a list such as ${example}`)
    }
    if (isPinned) return [{ claim, value: names }]
    throw new ConfigurationError(
      `githubActions.${option}`,
      'every repository can have one of that name: write `repositoryIds` or `ownerIds` beside it',
    )
  })
  return {
    issuer: issuerOf(options),
    profile: 'id-token',
    represents: 'workload',
    ...(isPinned ? { requiredClaims } : { subjects: 'granted' }),
  }
}

function issuerOf({ enterprise, issuer }: GitHubActionsOptions): string {
  if (enterprise === undefined) return issuer ?? githubIssuer
  if (issuer === undefined && isMatch(enterprise, /^[\w-]+$/)) return `${githubIssuer}/${enterprise}`
  throw new ConfigurationError(
    'githubActions.enterprise',
    "write the enterprise's slug alone, or the whole `issuer` instead",
  )
}

const isMatch = (value: unknown, pattern: RegExp): boolean => typeof value === 'string' && pattern.test(value)

const githubIssuer = 'https://token.actions.githubusercontent.com'

const pins = [
  {
    option: 'repositoryIds',
    claim: 'repository_id',
    pattern: /^\d+$/,
    example: "['456789']; `gh api repos/OWNER/REPO --jq .id` tells one",
  },
  {
    option: 'ownerIds',
    claim: 'repository_owner_id',
    pattern: /^\d+$/,
    example: "['123456']; `gh api users/OWNER --jq .id` tells one",
  },
  { option: 'environments', claim: 'environment', pattern: /./, example: "['production']" },
  { option: 'refs', claim: 'ref', pattern: /^refs\/./, example: "['refs/heads/main']" },
] as const
