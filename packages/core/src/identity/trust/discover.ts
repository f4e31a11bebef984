import { isRecord } from '../jws/json-object.ts'
import { NoAnswer, UnexpectedStatus, jsonOf, type FetchedDocument } from './fetch-document.ts'

/** Where an issuer's metadata is, and what is looked for in it. */
export interface Discovery {
  readonly issuer: string
  /** Where the metadata is, if not at the well-known places. */
  readonly url: URL | undefined
  /** Whether a URL that the metadata names may be used: https, or what configuration names. */
  readonly mayUse: (url: URL) => boolean
  /** The member that is looked for. */
  readonly member: 'jwks_uri' | 'introspection_endpoint'
  /** True where this service authenticates by certificate: servers may keep other endpoints for that (RFC 8705 §5). */
  readonly isMutualTls?: boolean
}

type Get = (url: URL) => Promise<FetchedDocument>

/** Asks an issuer's metadata where something of it is. Rejects with a sentence for the operator. */
export async function discover(
  { issuer, url, mayUse, member, isMutualTls = false }: Discovery,
  get: Get,
): Promise<URL> {
  const metadata = jsonOf(await (url === undefined ? getWellKnown(issuer, get) : get(url)))
  // Code point by code point: an issuer must not be able to speak for another one (RFC 8414 §3.3).
  if (metadata['issuer'] !== issuer) throw new NoAnswer('the metadata names another `issuer`')
  const aliases = isMutualTls ? metadata['mtls_endpoint_aliases'] : undefined
  const named = (isRecord(aliases) ? aliases[member] : undefined) ?? metadata[member]
  if (typeof named !== 'string' || !URL.canParse(named)) {
    throw new NoAnswer(`the metadata has no \`${member}\``)
  }
  const found = new URL(named)
  if (mayUse(found) && found.username === '' && found.password === '') return found
  throw new NoAnswer(`the metadata sends to a \`${member}\` that is not https, or has a user name in it`)
}

// OIDC Discovery 1.0 §4 appends its well-known path, RFC 8414 §3.1 inserts one: an issuer serves either.
async function getWellKnown(issuer: string, get: Get): Promise<FetchedDocument> {
  const { origin, pathname } = new URL(issuer)
  const path = pathname.replace(/\/$/, '')
  try {
    return await get(new URL(`${origin}${path}/.well-known/openid-configuration`))
  } catch (error) {
    if (!(error instanceof UnexpectedStatus) || error.status !== 404) throw error
    return get(new URL(`${origin}/.well-known/oauth-authorization-server${path}`))
  }
}
