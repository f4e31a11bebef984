import { BlockList, isIP } from 'node:net'
import { ConfigurationError, describeValue } from '../configuration-error.ts'
import { TrustedProxies, type ProxyRule } from '../identity/forwarded/trusted-proxies.ts'
import { requireHeaderName } from './header-names.ts'
import { requireEntries, requireStrings } from './option-values.ts'
import { requireSpiffeId } from './spiffe-names.ts'

/** Parses who a proxy is. `trustDomains`: those whose roots are known, since a certificate of no other could be verified. */
export function parseTrustedProxy(
  value: unknown,
  option: string,
  trustDomains: readonly string[],
): TrustedProxies {
  if (typeof value !== 'object' || value === null) throw new ConfigurationError(option, expectedOne(value))
  const from: Readonly<Record<string, unknown>> = { ...requireEntries(value, option) }
  const kinds = Object.keys(from).toSorted().join(' ')
  const parse = parsers[kinds]
  if (parse === undefined) throw new ConfigurationError(option, expectedOne(value))
  return new TrustedProxies(parse(from, option, trustDomains))
}

type ParseRule = (
  from: Readonly<Record<string, unknown>>,
  option: string,
  trustDomains: readonly string[],
) => ProxyRule

const parsers: Readonly<Record<string, ParseRule>> = {
  spiffeId({ spiffeId }, option, trustDomains) {
    const ids = requireSome(typeof spiffeId === 'string' ? [spiffeId] : spiffeId, `${option}.spiffeId`)
    for (const id of ids) {
      const domain = requireSpiffeId(id, `${option}.spiffeId`).trustDomain
      if (trustDomains.includes(domain)) continue
      throw new ConfigurationError(
        `${option}.spiffeId`,
        `the certificate of \`${id}\` could not be verified: add \`${domain}\` to \`certificates.trustDomains\``,
      )
    }
    return { kind: 'spiffeId', ids: new Set(ids) }
  },
  unixSocket({ unixSocket: path }, option) {
    if (typeof path === 'string' && path !== '') return { kind: 'unixSocket', path }
    throw new ConfigurationError(
      `${option}.unixSocket`,
      `expected the path that the server listens on, got ${describeValue(path)}`,
    )
  },
  'secretHeader secrets'({ secretHeader, secrets }, option) {
    const header = requireHeaderName(secretHeader, `${option}.secretHeader`)
    const known = requireSome(secrets, `${option}.secrets`)
    for (const [i, secret] of known.entries()) requireSecret(secret, `${option}.secrets[${i}]`)
    return { kind: 'secret', header, secrets: known }
  },
  addresses({ addresses }, option) {
    const list = new BlockList()
    const ranges = requireSome(addresses, `${option}.addresses`)
    for (const [i, range] of ranges.entries()) addRange(list, range, `${option}.addresses[${i}]`)
    return { kind: 'addresses', addresses: list }
  },
}

function requireSome(value: unknown, option: string): readonly string[] {
  const strings = requireStrings(value, option)
  if (strings.length > 0) return strings
  throw new ConfigurationError(option, 'expected at least one: of nobody, nothing would be believed')
}

// What is sent with every request can be guessed at leisure, unless it is long. Commas and spaces would not survive all proxies.
function requireSecret(secret: string, option: string): void {
  const isLong = /^[\x21-\x2b\x2d-\x7e]{32,1024}$/.test(secret) && new Set(secret).size >= 10
  if (isLong) return
  throw new ConfigurationError(
    option,
    'expected at least 32 random characters without spaces and commas, such as `openssl rand -base64 32` prints',
  )
}

function addRange(list: BlockList, range: string, option: string): void {
  const [address = '', prefix, more] = range.split('/')
  const version = isIP(address)
  const bits = version === 4 ? 32 : 128
  const size = prefix === undefined ? bits : /^(?:0|[1-9]\d{0,2})$/.test(prefix) ? Number(prefix) : NaN
  if (version === 0 || address.includes('%') || more !== undefined || !(size <= bits)) {
    throw new ConfigurationError(
      option,
      'expected an IP address, or a range such as `10.0.7.0/24` or `fd00:7::/64`',
    )
  }
  if (/^::ffff:/i.test(address)) {
    throw new ConfigurationError(option, 'write the IPv4 address: it is known in its IPv6 form as well')
  }
  // A range of half the internet is a mistake in the number, or the wish to believe everybody.
  if (size < (version === 4 ? 8 : 16)) {
    throw new ConfigurationError(
      option,
      `a range of /${size} would believe strangers: name the addresses of the proxies`,
    )
  }
  list.addSubnet(address, size, version === 4 ? 'ipv4' : 'ipv6')
}

const expectedOne = (value: unknown): string =>
  'expected one of { spiffeId }, { unixSocket }, { secretHeader, secrets } or { addresses }, ' +
  `got ${typeof value === 'object' && value !== null ? 'none of these, or more than one' : describeValue(value)}`
