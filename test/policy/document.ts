// A policy document that uses everything, and ways to say what one says.
import { parsePolicy, PolicyError } from '@countersign/policy'

export const whole = `# yaml-language-server: $schema=./node_modules/@countersign/policy/schema.json
version: 1
service: orders
zones: { shop: [checkout, orders], back-office: [reports] }
calls: { shop: [shop], back-office: [shop] }
callers:
  checkout:
    is: [spiffe://prod.example/ns/shop/sa/checkout, { issuer: https://idp.internal, clientId: checkout }]
    grants: [orders:read, { scope: orders:write, until: 2027-01-31, via: both, reason: OPS-12 }]
  reports:
    is: [{ kubernetes: { namespace: shop, serviceAccount: reports, trustDomain: prod.example } }]
    grants: ['orders:*']
    mode: { observe: { until: 2027-01-31T12:00:00+01:00 } }
  sweeper: { is: [{ kubernetes: { namespace: shop, serviceAccount: sweeper, issuer: https://k8s.internal } }], mode: enforce }
  alice: { is: [{ issuer: https://idp.internal, subject: alice }], grants: [orders:read] }
  billing: { is: [{ authority: partners, dnsName: Billing.Partner.example }] }
routes:
  - { route: GET /orders/:id, requires: { scopes: [orders:read], zones: [shop] } }
  - route: POST /orders
    requires: { scopes: [orders:write], when: 'resource.params.tenant == caller.claims.tenant' }
    mode: { observe: { until: 2027-01-31 } }
  - route: '* /admin'
    requires:
      anyOf: [{ callers: [alice] }, { allOf: [{ userScopes: [admin:read], not: { callers: [reports] } }] }]
      anyScope: [admin:read, admin:write]
      provenBy: [certificate, dpop]
      freshWithin: 5m
      authenticatedWith: ['urn:example:mfa']
      claims: { tenant: acme, realm_access: { roles: [clerk, admin] }, level: 3, staff: true }
  - { route: GET /me, requires: { authenticated: true } }
  - { route: GET /healthz, unprotected: 'liveness probe, returns no data' }
  - { route: GET /hello, callerOptional: greets by name, mode: enforce }
candidate:
  routes:
    - { route: GET /orders/:id, requires: { callers: [checkout] } }
`

/** A document with these lines behind its first one. */
export const withLines = (...lines: readonly string[]): string => ['version: 1', ...lines, ''].join('\n')

/** One route with this requirement, written in a flow mapping. */
export const routeOf = (requirement: string): string =>
  withLines('routes:', `  - { route: GET /, requires: ${requirement} }`)

/** What is wrong with a document, as `line:column path: problem`; empty where nothing is. */
export function problemsOf(text: string, parse: (text: string) => unknown = parsePolicy): readonly string[] {
  try {
    parse(text)
    return []
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error
    return error.problems.map(
      ({ line, column, path, message }) => `${line}:${column} ${path === '' ? '' : `${path}: `}${message}`,
    )
  }
}
