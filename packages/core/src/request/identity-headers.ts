import type { IncomingHttpHeaders } from 'node:http'

/** The parts of Node's `IncomingMessage` in which a header can be seen. */
export interface StrippableRequest {
  readonly headers: IncomingHttpHeaders
  readonly headersDistinct?: NodeJS.Dict<string[]>
  readonly rawHeaders: string[]
}

/** A header as it came: its name in lower case and otherwise untouched, and its value. */
export type HeaderField = readonly [name: string, value: string]

/**
 * The headers in which a proxy conventionally names the client's certificate, and those that a guard was told of. Whoever sends
 * one is claiming an identity; the application must not be able to read it by accident, whoever that was.
 */
export class IdentityHeaders {
  readonly #names: ReadonlySet<string>
  /** By length: with which characters such names begin and end. So most headers are told apart by two numbers. */
  readonly #ends: readonly Ends[]

  /** `more`: lower-case names, with dashes. */
  constructor(more: readonly string[] = []) {
    const names = [...conventional, ...more]
    this.#names = new Set(names)
    const longest = Math.max(...names.map(({ length }) => length))
    this.#ends = Array.from({ length: longest + 1 }, (_, length) =>
      endsOf(names.filter((name) => name.length === length)),
    )
  }

  /** Deletes every such header from a request, and returns what was deleted, line by line. */
  take(request: StrippableRequest): readonly HeaderField[] {
    const found = this.find(request.rawHeaders)
    if (found.length === 0) return found
    const gone = new Set(found.map(([name]) => name))
    // Node builds these two from `rawHeaders` when first read, and counts on its length: they come first.
    const { headers, headersDistinct, rawHeaders } = request
    const kept = rawHeaders.filter((_, i) => !gone.has((rawHeaders[i - (i % 2)] ?? '').toLowerCase()))
    // In place: requests of HTTP/2 let nobody set it.
    rawHeaders.splice(0, Infinity, ...kept)
    for (const name of gone) {
      delete headers[name]
      delete headersDistinct?.[name]
    }
    return found
  }

  /** The lines of every such header, as they came. */
  find(rawHeaders: readonly string[]): readonly HeaderField[] {
    let found: HeaderField[] | undefined
    for (let i = 0; i < rawHeaders.length; i += 2) {
      const name = rawHeaders[i]
      if (name !== undefined && this.#mayBe(name) && this.#names.has(canonicalName(name))) {
        found ??= []
        found.push([name.toLowerCase(), rawHeaders[i + 1] ?? ''])
      }
    }
    return found ?? noFields
  }

  #mayBe(name: string): boolean {
    const ends = this.#ends[name.length]
    return (
      ends !== undefined &&
      (ends.first & bitOf(name.charCodeAt(0))) !== 0 &&
      (ends.last & bitOf(name.charCodeAt(name.length - 1))) !== 0
    )
  }
}

/** For each of 32 kinds of characters, whether a name begins or ends with one of them. */
interface Ends {
  readonly first: number
  readonly last: number
}

const endsOf = (names: readonly string[]): Ends => ({
  first: names.reduce((bits, name) => bits | bitOf(name.charCodeAt(0)), 0),
  last: names.reduce((bits, name) => bits | bitOf(name.charCodeAt(name.length - 1)), 0),
})

/** INVARIANT: characters that are one in a canonical name have a bit in common, whatever their case. */
const bitOf = (code: number): number => (isLetterOrDigit(code) ? 1 << (code & 31) : everyBit)

const isLetterOrDigit = (code: number): boolean =>
  (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || (code >= 48 && code <= 57)

const everyBit = -1

/**
 * The name that gateways like CGI make of a header's: for them `Client_Cert`, `client.cert` and `CLIENT-CERT` are one. So they are
 * for us.
 */
export const canonicalName = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]/g, '-')

/** No header of the kind. */
export const noFields: readonly HeaderField[] = Object.freeze([])

/** Those that hold a certificate, or stand for one. */
export const certificateHeaderNames: ReadonlySet<string> = new Set([
  'client-cert', // RFC 9440
  'x-forwarded-client-cert', // Envoy
  'x-forwarded-tls-client-cert', // Traefik
  'ssl-client-cert', // ingress-nginx
  'x-ssl-cert', // nginx and Apache by convention
  'x-ssl-client-cert',
  'x-client-cert',
  'x-client-certificate',
  'x-amzn-mtls-clientcert', // AWS ALB
  'x-amzn-mtls-clientcert-leaf',
  'x-client-cert-leaf', // Google Cloud load balancing
  'x-arr-clientcert', // Azure
  'x-apigateway-client-cert',
])

const conventional: readonly string[] = [
  ...certificateHeaderNames,
  // What is said about one, in the same order.
  'client-cert-chain',
  'x-forwarded-tls-client-cert-info',
  'ssl-client-verify',
  'ssl-client-subject-dn',
  'ssl-client-issuer-dn',
  'x-ssl-client-verify',
  'x-ssl-client-dn',
  'x-ssl-client-s-dn',
  'x-ssl-client-i-dn',
  'x-ssl-client-serial',
  'x-ssl-client-sha1',
  'x-client-dn',
  'x-client-verify',
  'x-amzn-mtls-clientcert-subject',
  'x-amzn-mtls-clientcert-issuer',
  'x-amzn-mtls-clientcert-serial-number',
  'x-amzn-mtls-clientcert-validity',
  'x-client-cert-present',
  'x-client-cert-chain-verified',
  'x-client-cert-error',
  'x-client-cert-hash',
  'x-client-cert-chain',
  'x-client-cert-spiffe',
  'x-client-cert-uri-sans',
  'x-client-cert-dnsname-sans',
]
