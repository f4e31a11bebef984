export { createGuard, type Guard, type Readiness } from './guard.ts'
export type { Environment } from './options/parse-options.ts'
export {
  defineOptions,
  type CertificateOptions,
  type GuardOptions,
  type OcspOptions,
  type RevocationOptions,
} from './options/guard-options.ts'
export type { DocumentSource, UrlSource } from './options/document-source.ts'
export type { Source, SourceListener } from './identity/trust/supplied-value.ts'
export type { TrustSourceState } from './identity/peer/trust-sources.ts'
export type {
  ClaimName,
  IssuerOptions,
  RequiredClaimOption,
  TokenReviewOptions,
} from './options/issuer-options.ts'
export type {
  CertificateHeaderOptions,
  ForwardedOptions,
  ProxyPresetOptions,
  TrustedProxy,
  VouchedForwarding,
  XfccOptions,
} from './options/forwarded-options.ts'
export { auth0, type Auth0Options } from './options/presets/auth0.ts'
export { entraId, type EntraIdOptions } from './options/presets/entra-id.ts'
export { githubActions, type GitHubActionsOptions } from './options/presets/github-actions.ts'
export { google, type GoogleOptions } from './options/presets/google.ts'
export { keycloak, type KeycloakOptions } from './options/presets/keycloak.ts'
export { kubernetes, type KubernetesOptions } from './options/presets/kubernetes.ts'
export { okta } from './options/presets/okta.ts'
export { spiffe, type SpiffeBundle } from './options/presets/spiffe.ts'
export { apache, type ApacheOptions } from './options/presets/proxies/apache.ts'
export { awsAlb, type AwsAlbOptions } from './options/presets/proxies/aws-alb.ts'
export {
  azureApplicationGateway,
  azureAppService,
  type AzureApplicationGatewayOptions,
} from './options/presets/proxies/azure.ts'
export { caddy, type CaddyOptions } from './options/presets/proxies/caddy.ts'
export { envoy, type EnvoyOptions } from './options/presets/proxies/envoy.ts'
export { googleLoadBalancer } from './options/presets/proxies/google-load-balancer.ts'
export { haproxy, type HaproxyOptions } from './options/presets/proxies/haproxy.ts'
export { istioSidecar, type IstioSidecarOptions } from './options/presets/proxies/istio-sidecar.ts'
export { nginx, type NginxOptions } from './options/presets/proxies/nginx.ts'
export { rfc9440 } from './options/presets/proxies/rfc9440.ts'
export { traefik } from './options/presets/proxies/traefik.ts'
export type { IntrospectionOptions } from './options/parse-introspection.ts'
export type { ClientAuthenticationOptions } from './options/parse-client-authentication.ts'
export type { DpopOptions } from './options/parse-dpop.ts'
export type { Requirement, StepUp } from './policy/requirement.ts'
export { allOf, anyOf, enforced } from './policy/combinations.ts'
export { not } from './policy/negation.ts'
export { anyScope, scopes, userScopes } from './policy/scope-requirements.ts'
export { authenticated, callerIn, callerIs } from './policy/caller-requirements.ts'
export { claim, type ClaimValue } from './policy/claim-requirement.ts'
export {
  authenticatedWith,
  freshWithin,
  provenBy,
  type Duration,
  type ProofName,
} from './policy/authentication-requirements.ts'
export type { Register, ScopeName } from './policy/scope.ts'
export type { CallerOptional, Placement, Unprotected } from './policy/placement.ts'
export { callerOptional, unprotected } from './policy/placement.ts'
export type { GrantOptions } from './policy/grant-options.ts'
export type { ContextProvider, ContextQuestion } from './policy/context-providers.ts'
export type { Decider, DeciderAnswer, DeciderQuestion } from './policy/decider.ts'
export type { PolicySource } from './policy/policy.ts'
export type { ModeOptions, ObserveOptions } from './options/parse-mode.ts'
export type { Explanation } from './decision/explain.ts'
export type { Observation } from './decision/observations.ts'
export type { CandidateDifference } from './decision/shadow.ts'
export type { Caller, ScopeSet } from './identity/caller.ts'
export type { Actor } from './identity/token/actor-chain.ts'
export type { ProfileName } from './identity/token/profile.ts'
export type { Proof, User } from './identity/verified-identity.ts'
export type { Workload } from './identity/workload.ts'
export type { ReplayStore } from './identity/proof/replay-store.ts'
export type { ResourceMetadata, ResourceOptions } from './enforcement/resource-metadata.ts'
export type { Algorithm, SecretAlgorithm } from './identity/jws/algorithms.ts'
export type { FetchDocument, FetchedDocument, FetchOptions } from './identity/trust/fetch-document.ts'
export type { KeySourceState } from './identity/trust/key-source.ts'
export type { Represents } from './identity/trust/trusted-issuer.ts'
export type { Allow, Decision, Deny, RefusalResponse } from './decision/decision.ts'
export type { InboundRequest } from './request/inbound-request.ts'
export { formatCensus, type CensusEntry } from './census.ts'
export type { Clock } from './clock/clock.ts'
export type { Logger } from './events/refusal-log.ts'
export type { DecisionEvent } from './events/decision-event.ts'
export {
  candidateChannel,
  decisionChannel,
  headersChannel,
  keysChannel,
  tlsChannel,
  trustChannel,
  type CandidateEvent,
  type HeadersEvent,
  type KeysEvent,
  type TlsEvent,
  type TrustEvent,
} from './events/channels.ts'
export { tlsOptions, type TlsOptions } from './tls/tls-options.ts'
export type { TlsServerOptions } from './options/parse-tls-options.ts'
export { ConfigurationError } from './configuration-error.ts'
export { CallerUnavailableError } from './caller-unavailable-error.ts'
export {
  refusals,
  type ChallengeError,
  type Fault,
  type Refusal,
  type RefusalCode,
  type RefusalDetail,
  type RefusalEntry,
  type Stage,
} from './refusal.ts'
