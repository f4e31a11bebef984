/** What this service says of itself to clients that were refused (RFC 9728 §2), beside what its guard knows. */
export interface ResourceOptions {
  /** The resource identifier: the URL that callers use for this service, without query or fragment. */
  readonly identifier: string
  /** A name for people. */
  readonly name?: string
  /** URL of documentation for developers. */
  readonly documentation?: string
  /** URL of what may be done with the data. */
  readonly policyUri?: string
  /** URL of the terms of service. */
  readonly tosUri?: string
}

/** What a guard knows of itself that metadata may say. */
export interface ResourceFacts {
  readonly authorizationServers: readonly string[]
  /** Every scope that some route asks for; read anew for each document. */
  readonly scopes: readonly string[]
  readonly proofAlgorithms: readonly string[] | undefined
  readonly requiresProof: boolean
  /** Whether client certificates reach this service, to which tokens may be bound. */
  readonly seesCertificates: boolean
}

/** Metadata as it is served, and where. */
export interface ResourceMetadata {
  readonly url: string
  /** Path of `url`, at which a service answers. */
  readonly path: string
  /** The document, made when it is read. */
  readonly body: string
}

/** RFC 9728 §3.1: the well-known name is put between host and path of the resource identifier. */
export function metadataUrl(identifier: string): string {
  const { origin, pathname } = new URL(identifier)
  return `${origin}/.well-known/oauth-protected-resource${pathname === '/' ? '' : pathname}`
}

/** What a service serves of itself: where is known at once, and every request asks; what, only when it is asked for. */
export function resourceMetadata(options: ResourceOptions, facts: ResourceFacts): ResourceMetadata {
  const url = metadataUrl(options.identifier)
  return Object.freeze({
    url,
    path: new URL(url).pathname,
    get body() {
      return documentOf(options, facts)
    },
  })
}

function documentOf(options: ResourceOptions, facts: ResourceFacts): string {
  const { authorizationServers, scopes, proofAlgorithms } = facts
  // What is undefined is left out.
  return JSON.stringify({
    resource: options.identifier,
    ...(authorizationServers.length === 0 ? {} : { authorization_servers: authorizationServers }),
    ...(scopes.length === 0 ? {} : { scopes_supported: scopes }),
    bearer_methods_supported: ['header'],
    resource_name: options.name,
    resource_documentation: options.documentation,
    resource_policy_uri: options.policyUri,
    resource_tos_uri: options.tosUri,
    ...(facts.seesCertificates ? { tls_client_certificate_bound_access_tokens: true } : {}),
    dpop_signing_alg_values_supported: proofAlgorithms,
    ...(facts.requiresProof ? { dpop_bound_access_tokens_required: true } : {}),
  })
}
