import { randomBytes } from 'node:crypto'
import { ConfigurationError, describeValue } from '../configuration-error.ts'
import type { ParsedCertificate } from '../identity/certificate/parsed-certificate.ts'
import { OcspStatuses } from '../identity/revocation/ocsp-statuses.ts'
import { Revocation } from '../identity/revocation/revocation.ts'
import type { OcspOptions, RevocationOptions } from './guard-options.ts'
import { requireSafeUrl } from './issuer-url.ts'
import { readCa, requireKnownKeys, requireStrings } from './option-values.ts'
import { crlsAt } from './parse-crls.ts'
import type { LiveContext } from './document-source.ts'
import { parseLive } from './parse-live.ts'

interface RevocationContext extends LiveContext {
  readonly intermediates: readonly ParsedCertificate[]
  readonly maxCacheEntries: number
}

/** Parses `certificates.revocation`. Throws a ConfigurationError that says what to write instead. */
export function parseRevocation(options: RevocationOptions, context: RevocationContext): Revocation {
  requireKnownKeys(options, option, ['crls', 'ocsp', 'mode'])
  const { crls = [], ocsp, mode = 'hard-fail' } = options
  if (!Array.isArray(crls)) {
    throw new ConfigurationError(
      `${option}.crls`,
      `expected a list such as ['./ca.crl'], got ${describeValue(crls)}`,
    )
  }
  if (crls.length === 0 && ocsp === undefined) {
    throw new ConfigurationError(
      option,
      "name who knows of revocations: `crls: ['./ca.crl']`, or `ocsp: { responders: ['http://ocsp.internal/'] }`",
    )
  }
  if (mode !== 'hard-fail' && mode !== 'soft-fail') {
    throw new ConfigurationError(
      `${option}.mode`,
      `expected 'hard-fail' or 'soft-fail', got ${describeValue(mode)}`,
    )
  }
  const lists = crlsAt(context.clock)
  const live = { ...context, isRequired: mode === 'hard-fail' }
  return new Revocation({
    crls: crls.map((source, i) => parseLive(source, `${option}.crls[${i}]`, lists, live)),
    intermediates: context.intermediates,
    ocsp: ocsp === undefined ? undefined : parseOcsp(ocsp, context),
    mode: mode === 'hard-fail' ? 'hard' : 'soft',
  })
}

function parseOcsp(
  options: OcspOptions,
  { clock, fetch, sources, maxCacheEntries }: RevocationContext,
): OcspStatuses {
  const at = `${option}.ocsp`
  requireKnownKeys(options, at, ['responders', 'ca', 'nonce'])
  const { nonce = false } = options
  if (typeof nonce !== 'boolean') {
    throw new ConfigurationError(`${at}.nonce`, `expected true or false, got ${describeValue(nonce)}`)
  }
  const responders = requireStrings(options.responders, `${at}.responders`).map((url, i) =>
    requireSafeUrl(url, `${at}.responders[${i}]`, ({ protocol }) => /^https?:$/.test(protocol)),
  )
  if (responders.length === 0) {
    throw new ConfigurationError(
      `${at}.responders`,
      "expected at least one URL, such as 'http://ocsp.internal/'",
    )
  }
  const statuses = new OcspStatuses({
    responders,
    clock,
    fetch,
    maxEntries: maxCacheEntries,
    ca: readCa(options.ca, `${at}.ca`),
    nonceOctets: nonce ? randomBytes : undefined,
    landed: (landing) => sources.tellAnswer(landing),
  })
  sources.addResponders(statuses)
  return statuses
}

const option = 'certificates.revocation'
