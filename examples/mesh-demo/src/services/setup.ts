import type { OAuthClient } from './access-token.ts'
import type { Home } from './house.ts'
import type { KeyPair } from './send-request.ts'

/** What a service is given when it is started. */
export interface ServiceSetup {
  readonly home: Home
  /** An X.509-SVID that is also the certificate of its server on localhost. */
  readonly certificate: KeyPair
  /** Undefined for a service that calls nobody with a token. */
  readonly client?: OAuthClient | undefined
  /** Where the service finds those that it calls by itself: audience → address. */
  readonly peers: Readonly<Record<string, string>>
}

export function requireClient({ client }: ServiceSetup): OAuthClient {
  if (client === undefined) throw new Error('this service is no client of an issuer')
  return client
}
