// The cases of C2SP/x509-limbo against the building block: what is accepted, and what is not.
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { Refusal, validatePath, type ExpectedName } from '@countersign/core/certificate'
import { describe, expect, test } from 'vitest'

interface PeerName {
  readonly kind: 'DNS' | 'IP' | 'RFC822'
  readonly value: string
}

interface Case {
  readonly id: string
  readonly validation_kind: 'CLIENT' | 'SERVER'
  readonly trusted_certs: readonly string[]
  readonly untrusted_intermediates: readonly string[]
  readonly peer_certificate: string
  readonly validation_time: string | null
  readonly expected_result: 'SUCCESS' | 'FAILURE'
  readonly expected_peer_name: PeerName | null
  readonly expected_peer_names: readonly PeerName[]
  readonly max_chain_depth: number | null
  readonly crls: readonly string[]
}

const file = gunzipSync(readFileSync(new URL('x509-limbo.json.gz', import.meta.url)))
const { testcases } = JSON.parse(file.toString()) as { testcases: readonly Case[] } // see README.md

const issuerProfile = 'a rule for whoever issues, which no verifier depends on'
const browserForum = 'a rule of the CA/Browser Forum, which does not bind a private PKI'
const publicSuffix = 'needs the list of public suffixes, which says nothing of private networks'

/** Accepted though limbo says reject, and why nothing is lost by it. */
const acceptedNevertheless: Readonly<Record<string, string>> = {
  'rfc5280::aki::leaf-missing-aki': issuerProfile,
  'rfc5280::aki::intermediate-missing-aki': issuerProfile,
  'rfc5280::aki::cross-signed-root-missing-aki': issuerProfile,
  'rfc5280::ski::root-missing-ski': issuerProfile,
  'rfc5280::ski::intermediate-missing-ski': issuerProfile,
  'rfc5280::root-non-critical-basic-constraints': issuerProfile,
  'rfc5280::nc::permitted-dns-match-noncritical':
    'the constraints are held to, critical or not; limbo itself has the same case as a good one under webpki',
  'webpki::aki::root-with-aki-missing-keyidentifier': browserForum,
  'webpki::aki::root-with-aki-authoritycertissuer': browserForum,
  'webpki::aki::root-with-aki-authoritycertserialnumber': browserForum,
  'webpki::aki::root-with-aki-all-fields': browserForum,
  'webpki::aki::root-with-aki-ski-mismatch': browserForum,
  'webpki::cn::ipv4-hex-mismatch': browserForum,
  'webpki::cn::ipv4-leading-zeros-mismatch': browserForum,
  'webpki::cn::ipv6-uppercase-mismatch': browserForum,
  'webpki::cn::ipv6-uncompressed-mismatch': browserForum,
  'webpki::cn::ipv6-non-rfc5952-mismatch': browserForum,
  'webpki::cn::punycode-not-in-san': browserForum,
  'webpki::cn::utf8-vs-punycode-mismatch': browserForum,
  'webpki::cn::not-in-san': browserForum,
  'webpki::cn::case-mismatch': browserForum,
  'webpki::eku::ee-anyeku': browserForum,
  'webpki::eku::ee-critical-eku': browserForum,
  'webpki::eku::ee-without-eku': browserForum,
  'webpki::eku::root-has-eku': browserForum,
  'webpki::san::public-suffix-multi-label-wildcard-san': publicSuffix,
  'webpki::san::public-suffix-private-namespace-wildcard-san': publicSuffix,
  'webpki::san::san-critical-with-nonempty-subject': browserForum,
}

const authorityAsLeaf = 'an authority is never taken for a caller (T45), which RFC 5280 leaves open'

/** Refused though limbo says accept, and why. */
const refusedNevertheless: Readonly<Record<string, string>> = {
  'pathlen::validation-ignores-pathlen-in-leaf': authorityAsLeaf,
  'rfc5280::ca-as-leaf': authorityAsLeaf,
}

test('all cases are there, and each that is answered otherwise is one of them', () => {
  const ids = new Set(testcases.map(({ id }) => id))
  expect(ids.size).toBe(208)
  const answered = [...Object.keys(acceptedNevertheless), ...Object.keys(refusedNevertheless)]
  expect(answered.filter((id) => !ids.has(id))).toEqual([])
  expect(Object.keys(refusedNevertheless).length).toBeLessThanOrEqual(5)
})

test('revocation lists are refused for what is wrong with them, and for whom they revoke', () => {
  const asked = testcases.filter(({ crls }) => crls.length > 0)
  const codes = asked.map((one) => [one.id.slice('crl::'.length), answersTo(one).join()])
  expect(codes).toEqual([
    ['revoked-certificate-with-crl', 'certificate_revoked'],
    ['crlnumber-missing', 'revocation_unavailable'],
    ['certificate-not-on-crl', ''],
    ['certificate-serial-on-crl-different-issuer', ''],
    ['crlnumber-critical', 'revocation_unavailable'],
    ['issuer-missing-crlsign', 'revocation_unavailable'],
    ['issuer-no-keyusage-extension', ''],
    ['issuer-valid-crlsign-and-keycertsign', ''],
  ])
})

describe.each(testcases)('$id', (one) => {
  const isGood = one.expected_result === 'SUCCESS'
  const reason = (isGood ? refusedNevertheless : acceptedNevertheless)[one.id]
  const accepts = isGood === (reason === undefined)

  test(`is ${accepts ? 'accepted' : 'refused'}${reason === undefined ? '' : `: ${reason}`}`, () => {
    const began = performance.now()
    const codes = answersTo(one)
    expect(performance.now() - began).toBeLessThan(1000)
    if (accepts) expect(codes).toEqual([])
    else expect(codes).not.toEqual([])
  })
})

/** The codes of the refusals, asked once for each name that the peer is expected to have; none where it is accepted. */
function answersTo(one: Case): readonly string[] {
  const names = [one.expected_peer_name, ...one.expected_peer_names].filter((name) => name !== null)
  const asked = names.length === 0 ? [undefined] : names.map(expectedName)
  return asked.flatMap((name) => {
    const answer = validatePath({
      leaf: one.peer_certificate,
      intermediates: one.untrusted_intermediates,
      trustAnchors: one.trusted_certs,
      at: new Date(one.validation_time ?? '2026-06-01T00:00:00Z'),
      purpose: one.validation_kind === 'SERVER' ? 'serverAuth' : 'clientAuth',
      ...(one.max_chain_depth === null ? {} : { limits: { maxIntermediates: one.max_chain_depth } }),
      ...(name === undefined ? {} : { expectedName: name }),
      ...(one.crls.length === 0 ? {} : { crls: one.crls }),
    })
    return answer instanceof Refusal ? [answer.code] : []
  })
}

function expectedName({ kind, value }: PeerName): ExpectedName {
  if (kind === 'DNS') return { dns: value }
  return kind === 'IP' ? { ip: value } : { email: value }
}
