import type { Caller } from '@countersign/core'
import type { Occasion } from '@countersign/core/adapter'
import { celValue, rememberedCelValue } from './cel-value.ts'
import { isCredentialHeader } from './credential-headers.ts'

/** What a condition can read, beside `context.<name>` and `time`. */
export interface Variable {
  /** Its CEL type, or the fields it has. */
  readonly type: string | Readonly<Record<string, string>>
  /** Undefined for what is not there: `has()` is false of it, and to read it is an error. */
  readonly read: (caller: Caller, occasion: Occasion) => unknown
}

export const variables: Readonly<Record<string, Readonly<Record<string, Variable>>>> = {
  caller: {
    id: { type: 'string', read: ({ id }) => id },
    service: {
      type: { id: 'string', spiffeId: 'string', issuer: 'string', clientId: 'string' },
      read: ({ service }) => service && rememberedCelValue(service),
    },
    user: {
      type: { id: 'string', issuer: 'string', subject: 'string' },
      read: ({ user }) => user && rememberedCelValue(user),
    },
    // RFC 8693 §4.1: whoever acted before is for the record, and decides nothing.
    actor: {
      type: { id: 'string', issuer: 'string', subject: 'string', clientId: 'string' },
      read: ({ actors: [actor] }) => actor && new Map(Object.entries({ ...actor, claims: undefined })),
    },
    scopes: { type: 'list<string>', read: ({ scopes }) => [...scopes] },
    claims: { type: 'map<string, dyn>', read: ({ claims }) => rememberedCelValue(claims) },
    provenBy: { type: 'list<string>', read: ({ provenBy }) => provenBy },
    zones: { type: 'list<string>', read: ({ zones }) => zones },
  },
  request: {
    method: { type: 'string', read: (_, { request }) => request.method },
    // As received: nothing is decoded, and nothing was matched against it.
    path: {
      type: 'string',
      read: (_, { request }) => (request.originalUrl ?? request.url)?.replace(/[?#][^]*$/, ''),
    },
    headers: { type: 'map<string, string>', read: (_, occasion) => headersOf(occasion) },
    remoteAddress: { type: 'string', read: (_, occasion) => addressOf(occasion) },
  },
  resource: {
    route: { type: 'string', read: (_, { route }) => route },
    params: { type: 'map<string, dyn>', read: (_, { params }) => celValue(params) },
  },
}

function headersOf({ request: { headers } }: Occasion): ReadonlyMap<string, string> {
  const seen = new Map<string, string>()
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || isCredentialHeader(name)) continue
    seen.set(name, typeof value === 'string' ? value : value.join(', '))
  }
  return seen
}

// The other end of the connection: behind a proxy, the proxy.
function addressOf({ request: { socket } }: Occasion): string | undefined {
  const address: unknown = 'remoteAddress' in socket ? socket.remoteAddress : undefined
  // A socket that takes both families shows IPv4 in the form of IPv6 (RFC 4291 §2.5.5.2).
  return typeof address === 'string' ? address.replace(/^::ffff:(?=\d+\.)/i, '') : undefined
}
