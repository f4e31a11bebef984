import type { IncomingHttpHeaders } from 'node:http'

/** The parts of Node's `IncomingMessage` in which a header can be seen. */
export interface StrippableRequest {
  readonly headers: IncomingHttpHeaders
  readonly headersDistinct?: NodeJS.Dict<string[]>
  rawHeaders: string[]
}

/**
 * Deletes every header in which a proxy conventionally names the client's certificate. No proxy is trusted to
 * write them, so whoever sent one is claiming an identity; the application must not be able to read it by accident.
 * Returns the names that were deleted, lower-case.
 */
export function stripIdentityHeaders(request: StrippableRequest): readonly string[] {
  const { rawHeaders } = request
  let found: string[] | undefined
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]
    if (name !== undefined && lengths[name.length] === true && identityHeaders.has(canonical(name))) {
      found ??= []
      found.push(name.toLowerCase())
    }
  }
  if (found === undefined) return none
  const gone = new Set(found)
  // Node builds these two from `rawHeaders` when first read, and counts on its length: they come first.
  const { headers, headersDistinct } = request
  request.rawHeaders = rawHeaders.filter((_, i) => !gone.has((rawHeaders[i - (i % 2)] ?? '').toLowerCase()))
  for (const name of gone) {
    delete headers[name]
    delete headersDistinct?.[name]
  }
  return [...gone]
}

// Servers behind CGI-like gateways see `client_cert` and `client-cert` as one name: so do we.
const canonical = (name: string): string => name.toLowerCase().replaceAll('_', '-')

const none: readonly string[] = Object.freeze([])

const identityHeaders: ReadonlySet<string> = new Set([
  'client-cert', // RFC 9440
  'client-cert-chain',
  'x-forwarded-client-cert', // Envoy
  'x-forwarded-tls-client-cert', // Traefik
  'x-forwarded-tls-client-cert-info',
  'ssl-client-cert', // ingress-nginx
  'ssl-client-verify',
  'ssl-client-subject-dn',
  'ssl-client-issuer-dn',
  'x-ssl-cert', // nginx and Apache by convention
  'x-ssl-client-cert',
  'x-ssl-client-verify',
  'x-ssl-client-dn',
  'x-ssl-client-s-dn',
  'x-ssl-client-i-dn',
  'x-ssl-client-serial',
  'x-ssl-client-sha1',
  'x-client-cert',
  'x-client-certificate',
  'x-client-dn',
  'x-client-verify',
  'x-amzn-mtls-clientcert', // AWS ALB
  'x-amzn-mtls-clientcert-leaf',
  'x-amzn-mtls-clientcert-subject',
  'x-amzn-mtls-clientcert-issuer',
  'x-amzn-mtls-clientcert-serial-number',
  'x-amzn-mtls-clientcert-validity',
  'x-client-cert-present', // Google Cloud load balancing
  'x-client-cert-chain-verified',
  'x-client-cert-error',
  'x-client-cert-hash',
  'x-client-cert-leaf',
  'x-client-cert-chain',
  'x-client-cert-spiffe',
  'x-client-cert-uri-sans',
  'x-client-cert-dnsname-sans',
  'x-arr-clientcert', // Azure
  'x-apigateway-client-cert',
])

const lengths: readonly boolean[] = Array.from({ length: 64 }, (_, length) =>
  [...identityHeaders].some((name) => name.length === length),
)
