import type { ChallengeError } from '../refusal.ts'
import type { StepUp } from '../policy/requirement.ts'

/** What is known of the guard that a challenge may say. */
export interface ChallengeOptions {
  /** The protection space (RFC 9110 §11.5). */
  readonly realm: string
  /** False where only certificates are accepted: HTTP has no scheme to ask for one with. */
  readonly acceptsTokens: boolean
  /** Of DPoP proofs (RFC 9449 §7.1); undefined where none are accepted. */
  readonly proofAlgorithms: readonly string[] | undefined
  /** True where every token must be bound by DPoP. */
  readonly requiresProof: boolean
  /** Where this resource describes itself (RFC 9728 §5.1). */
  readonly resourceMetadata: string | undefined
}

/** What one refusal has to say in its challenge. */
export interface ChallengeContent {
  readonly error: ChallengeError | undefined
  readonly sentence: string
  readonly scopes: readonly string[]
  readonly stepUp: StepUp | undefined
  /** The scheme of the credential that was presented. */
  readonly scheme: 'bearer' | 'dpop' | undefined
}

/**
 * The `WWW-Authenticate` of a refusal: every scheme that would do, each with its own parameters; what went wrong stands with
 * the scheme that was tried, or with all where none was (RFC 6750 §3, RFC 9449 §7.1-7.2).
 */
export function challenge(content: ChallengeContent, options: ChallengeOptions): string {
  const { scheme } = content
  const algorithms = options.proofAlgorithms
  const challenges: string[] = []
  if (!options.requiresProof && (scheme !== 'dpop' || algorithms === undefined)) {
    challenges.push(`Bearer ${parametersOf(content, options).join(', ')}`)
  }
  if (algorithms !== undefined) {
    const wasTried = scheme !== 'bearer' || options.requiresProof
    const said = wasTried ? parametersOf(content, options) : [`realm="${options.realm}"`]
    challenges.push(`DPoP ${[...said, `algs="${algorithms.join(' ')}"`].join(', ')}`)
  }
  return challenges.join(', ')
}

function parametersOf(
  { error, sentence, scopes, stepUp }: ChallengeContent,
  { realm, resourceMetadata }: ChallengeOptions,
): string[] {
  const parameters = [`realm="${realm}"`]
  if (error !== undefined) parameters.push(`error="${error}"`, `error_description="${sentence}"`)
  if (error === 'insufficient_user_authentication' && stepUp !== undefined) {
    // RFC 9470 §3: what the caller has to ask its issuer for.
    if (stepUp.acrValues.length > 0) parameters.push(`acr_values="${stepUp.acrValues.join(' ')}"`)
    if (stepUp.maxAgeSeconds !== undefined) parameters.push(`max_age="${stepUp.maxAgeSeconds}"`)
  }
  // The scopes a route needs are no secret: a caller has to know what to ask its issuer for (RFC 6750 §3).
  if (scopes.length > 0 && error !== 'invalid_request') parameters.push(`scope="${scopes.join(' ')}"`)
  if (resourceMetadata !== undefined) parameters.push(`resource_metadata="${resourceMetadata}"`)
  return parameters
}
