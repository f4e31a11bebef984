// Requests as a proxy sends them: forwarded headers beside others, on a connection from somewhere.
import type { InboundRequest } from '@countersign/core'
import { requestWith } from './asking.ts'
import { pemOf } from './pem.ts'

/** A connection from an address. */
export const connectionFrom = (remoteAddress: string | undefined): object => ({ remoteAddress })

/** A request with these headers, as Node hands it in: joined where they repeat, raw as they came. */
export function forwardedRequest(
  headers: readonly (readonly [name: string, value: string])[],
  socket: object = connectionFrom('10.0.7.9'),
  authorization?: string,
): InboundRequest {
  const base = requestWith(authorization, socket)
  const joined: Record<string, string> = {}
  for (const [name, value] of headers) {
    const known = joined[name.toLowerCase()]
    joined[name.toLowerCase()] = known === undefined ? value : `${known}, ${value}`
  }
  return {
    ...base,
    headers: { ...base.headers, ...joined },
    rawHeaders: [...base.rawHeaders, ...headers.flat()],
  }
}

const toBase64 = (der: Uint8Array): string => Buffer.from(der).toString('base64')

/** What each proxy writes of a client, leaf first. */
export const written = {
  rfc9440: ([leaf = new Uint8Array(), ...chain]: readonly Uint8Array[]) => [
    ['Client-Cert', `:${toBase64(leaf)}:`] as const,
    ...(chain.length === 0
      ? []
      : [['Client-Cert-Chain', chain.map((der) => `:${toBase64(der)}:`).join(', ')] as const]),
  ],
  nginx: ([leaf = new Uint8Array()]: readonly Uint8Array[]) => [
    ['ssl-client-cert', encodeURIComponent(pemOf(leaf))] as const,
    ['ssl-client-verify', 'SUCCESS'] as const,
  ],
  apache: ([leaf = new Uint8Array()]: readonly Uint8Array[]) => [
    ['SSL-Client-Cert', pemOf(leaf, 'CERTIFICATE', ' ').trim()] as const,
    ['SSL-Client-Verify', 'SUCCESS'] as const,
  ],
  haproxy: ([leaf = new Uint8Array(), ...chain]: readonly Uint8Array[]) => [
    ['x-ssl-client-cert', toBase64(leaf)] as const,
    ...(chain.length === 0 ? [] : [['x-ssl-client-chain', toBase64(Buffer.concat(chain))] as const]),
  ],
  traefik: (all: readonly Uint8Array[]) => [
    ['X-Forwarded-Tls-Client-Cert', all.map(toBase64).join(',')] as const,
  ],
  caddy: ([leaf = new Uint8Array()]: readonly Uint8Array[]) => [
    ['X-Ssl-Client-Cert', toBase64(leaf)] as const,
  ],
  albVerify: ([leaf = new Uint8Array()]: readonly Uint8Array[]) => [
    ['X-Amzn-Mtls-Clientcert-Leaf', asAws(pemOf(leaf))] as const,
    ['X-Amzn-Mtls-Clientcert-Serial-Number', '03A5B1'] as const,
  ],
  albPassthrough: (all: readonly Uint8Array[]) => [
    ['X-Amzn-Mtls-Clientcert', asAws(all.map((der) => pemOf(der)).join(''))] as const,
  ],
  google: ([leaf = new Uint8Array(), ...chain]: readonly Uint8Array[]) => [
    ['X-Client-Cert-Present', 'true'] as const,
    ['X-Client-Cert-Chain-Verified', 'true'] as const,
    ['X-Client-Cert-Error', ''] as const,
    ['X-Client-Cert-Leaf', `:${toBase64(leaf)}:`] as const,
    ...(chain.length === 0
      ? []
      : [['X-Client-Cert-Chain', chain.map((der) => `:${toBase64(der)}:`).join(', ')] as const]),
  ],
  azureGateway: ([leaf = new Uint8Array()]: readonly Uint8Array[]) => [
    ['X-Client-Cert', encodeURIComponent(pemOf(leaf))] as const,
    ['X-Client-Verify', 'SUCCESS'] as const,
  ],
  azureAppService: ([leaf = new Uint8Array()]: readonly Uint8Array[]) => [
    ['X-ARR-ClientCert', toBase64(leaf)] as const,
  ],
}

// AWS leaves these as they are: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/mutual-authentication.html
const asAws = (pem: string): string =>
  encodeURIComponent(pem).replaceAll('%2B', '+').replaceAll('%2F', '/').replaceAll('%3D', '=')
