// Certificates that are no X.509-SVIDs: whom they name, and whom they never name.
import { authenticated, callerIs, createGuard, type GuardOptions } from '@countersign/core'
import { createTestCa, createTestIssuer, type CertificateOptions } from '@countersign/testing'
import { describe, expect, test } from 'vitest'
import { parseCertificate } from '../../packages/core/src/identity/certificate/parsed-certificate.ts'
import { tlsFlaw } from '../../packages/core/src/identity/certificate/verify-certificate.ts'
import {
  verifyNamed,
  type NamingAuthority,
} from '../../packages/core/src/identity/certificate/verify-named.ts'
import { Refusal } from '../../packages/core/src/refusal.ts'
import { connectionOf, codeOf, requestWith } from './support/asking.ts'
import {
  attribute,
  authority,
  clientAuth,
  der,
  extension,
  extensions,
  leaf,
  name,
  names,
  sequence,
  text,
  type Authority,
} from './support/der-certificate.ts'

const at = Date.parse('2026-06-01T00:00:00Z')
const ca = await createTestCa({ trustDomain: 'prod.example' })
const corp = await createTestCa({ name: 'Corp' })
const dns = (value: string) => ({ type: 'dns' as const, value })
const url = (value: string) => ({ type: 'url' as const, value })

const guardOf = (certificates: object, rest: object = {}) =>
  createGuard({ certificates, log: false, ...rest } as GuardOptions)

const byDns = guardOf({ authorities: { corp: { roots: corp.bundle, identity: 'dns' } } })
const both = guardOf({
  trustDomains: { 'prod.example': ca.bundle },
  authorities: { corp: { roots: corp.bundle, identity: 'dns' } },
})

async function callerOf(
  options: CertificateOptions,
  guard = byDns,
  issuer = corp,
  requirement = authenticated(),
): Promise<string> {
  const socket = connectionOf(await issuer.svid('/x', options))
  const decision = await guard.decide(requestWith(undefined, socket), requirement)
  return decision.outcome === 'allow' ? (decision.caller?.id ?? 'nobody') : codeOf(decision)
}

describe('a DNS name', () => {
  test('is whom a certificate of a configured authority names', async () => {
    expect(await callerOf({ names: [dns('checkout.corp.example')] })).toBe(
      'x509:corp#dns=checkout.corp.example',
    )
    expect(await callerOf({ names: [dns('Checkout.CORP.example')] })).toBe(
      'x509:corp#dns=checkout.corp.example',
    )
    const others = [dns('a.example'), { type: 'ip' as const, value: '192.0.2.1' }, url('https://a.example/')]
    expect(await callerOf({ names: others })).toBe('x509:corp#dns=a.example')
  })

  test.each([
    ['that is one of two', [dns('a.example'), dns('b.example')]],
    ['that is there twice', [dns('a.example'), dns('a.example')]],
    ['that is missing', [url('https://a.example/')]],
    ['with a wildcard', [dns('*.example')]],
    ['that is no DNS name', [dns('a b.example')]],
    ['with a final dot', [dns('a.example.')]],
    ['that is an address', [dns('192.0.2.1')]],
    ['that would be another id', [dns('a#dns=b')]],
  ])('%s names nobody', async (_, own) => {
    expect(await callerOf({ names: own })).toBe('certificate_identity_malformed')
  })

  test('T44 never gives way to a common name', async () => {
    expect(await callerOf({ names: [], commonName: 'a.example' })).toBe('certificate_identity_malformed')
  })

  test('is matched whole, by authority', async () => {
    const own = { names: [dns('checkout.corp.example')] }
    const asked = async (pattern: string) => callerOf(own, byDns, corp, callerIs(pattern))
    expect(await asked('x509:corp#dns=checkout.corp.example')).toMatch('x509:')
    expect(await asked('x509:corp#dns=*')).toMatch('x509:')
    expect(await asked('x509:corp#dns=checkout')).toBe('caller_not_allowed')
    expect(await asked('x509:other#dns=*')).toBe('caller_not_allowed')
    expect(await asked('x509:corp#commonName=*')).toBe('caller_not_allowed')
    for (const wrong of ['x509:*#dns=a', 'x509:corp#dns=*.example', 'x509:corp', 'x509:corp#dns=']) {
      expect(() => callerIs(wrong)).toThrow('expected')
    }
  })
})

describe('an attribute of the subject', () => {
  const root = authority()
  const bySubject = (subject: string) =>
    createGuard(
      {
        certificates: { authorities: { old: { roots: pemOf(root), identity: { subject } } } },
        log: false,
      } as GuardOptions,
      { clock: { now: () => at } },
    )
  const usages = [extensions.keyUsage(0x80), extensions.extKeyUsage(clientAuth)]
  const organized = (unit: string): Buffer =>
    sequence(
      der(0x31, attribute('2.5.4.11', text(0x13, unit))),
      der(0x31, attribute('2.5.4.3', text(0x0c, 'checkout'))),
    )

  async function nameIn(subject: Buffer, attributeName: string, list = usages): Promise<string> {
    const certificate = leaf(root, { parts: { subject }, extensions: list })
    const decision = await bySubject(attributeName).decide(
      requestWith(undefined, connectionOf({ der: certificate })),
      authenticated(),
    )
    return decision.outcome === 'allow' ? (decision.caller?.id ?? 'nobody') : codeOf(decision)
  }

  test('is a name where the operator says so', async () => {
    expect(await nameIn(name('checkout'), 'commonName')).toBe('x509:old#commonName=checkout')
    expect(await nameIn(organized('shop'), 'commonName')).toBe('x509:old#commonName=checkout')
    expect(await nameIn(organized('shop'), 'organizationalUnitName')).toBe(
      'x509:old#organizationalUnitName=shop',
    )
  })

  test('T44 is none beside an alternative name of any kind', async () => {
    for (const own of [
      names.dns('a.example'),
      names.uri('https://a.example/'),
      names.email('a@a.example'),
      names.other(),
    ]) {
      const list = [...usages, extensions.alternativeNames(own)]
      expect(await nameIn(name('checkout'), 'commonName', list)).toBe('certificate_identity_malformed')
    }
  })

  test('may begin with a letter or a digit of any script', async () => {
    expect(await nameIn(name('7-of-9'), 'commonName')).toBe('x509:old#commonName=7-of-9')
    const unicode = sequence(der(0x31, attribute('2.5.4.3', der(0x0c, Buffer.from('éclair/2')))))
    expect(await nameIn(unicode, 'commonName')).toBe('x509:old#commonName=éclair/2')
    expect(await nameIn(name('a'.repeat(255)), 'commonName')).toMatch('x509:old#')
  })

  test.each([
    ['there twice', name('checkout', 'admin')],
    ['missing', sequence(der(0x31, attribute('2.5.4.10', text(0x13, 'Corp'))))],
    ['no text', sequence(der(0x31, attribute('2.5.4.3', der(0x03, Buffer.from([0, 1])))))],
    ['several lines', name('checkout\nadmin')],
    ['another id', name('checkout#dns=admin')],
    ['framed in white space', name(' checkout')],
    ['followed by white space', name('checkout ')],
    ['begun with a sign', name('-checkout')],
    ['of more than 255 characters', name('a'.repeat(256))],
    [
      'begun with a byte order mark',
      sequence(der(0x31, attribute('2.5.4.3', der(0x0c, Buffer.from('\ufeffcheckout'))))),
    ],
    [
      'a letter that is written as another one',
      sequence(der(0x31, attribute('2.5.4.3', der(0x0c, Buffer.from('\u212bngstrom'))))),
    ],
    ['empty', name('')],
    [
      'invisible in part',
      sequence(der(0x31, attribute('2.5.4.3', der(0x0c, Buffer.from('check\u200bout'))))),
    ],
    [
      'composed in another way',
      sequence(der(0x31, attribute('2.5.4.3', der(0x0c, Buffer.from('u\u0308ber'))))),
    ],
  ])('T38 that is %s names nobody', async (_, subject) => {
    expect(await nameIn(subject, 'commonName')).toMatch(/^certificate_(identity_malformed|malformed)$/)
  })
})

describe('without a name, or with none that counts', () => {
  const root = authority()
  const usages = [extensions.keyUsage(0x80), extensions.extKeyUsage(clientAuth)]
  const presented = (list: readonly Uint8Array[], subject = name('checkout')) => ({
    leaf: parsedOf(leaf(root, { parts: { subject }, extensions: [...usages, ...list] })),
    intermediates: [],
    nowMs: at,
  })
  const called = (...own: readonly Uint8Array[]) => [extensions.alternativeNames(...own)]
  const one = (identity: NamingAuthority['identity']): NamingAuthority => ({
    name: 'old',
    roots: [parsedOf(root.der)],
    identity,
  })
  const byCommonName = { subject: 'commonName' } as const

  test.each([
    [called(names.dns('a.example'), names.dns('b.example')), 'dns', 'exactly one DNS name', '2'],
    [[], 'dns', 'exactly one DNS name', '0'],
    [called(names.dns('*.example')), 'dns', 'a DNS name without wildcard', '"*.example"'],
    [called(names.dns('a.example')), byCommonName, 'no alternative name beside the subject', 'some'],
    [[], { subject: 'userId' }, 'exactly one userId in the subject', '0'],
  ] satisfies [Uint8Array[], NamingAuthority['identity'], string, string][])(
    '%# a refusal says what was expected: %j',
    (list, identity, expected, actual) => {
      expect(verifyNamed(presented(list), [one(identity)])).toMatchObject({
        code: 'certificate_identity_malformed',
        detail: { expected, actual },
      })
    },
  )

  test('a refusal shows the attribute that is no name', () => {
    expect(verifyNamed(presented([], name('a#b')), [one(byCommonName)])).toMatchObject({
      detail: { expected: 'a commonName of letters, digits and ._@:/-', actual: '"a#b"' },
    })
  })

  test('a refusal is that of the authority that says most', () => {
    const code = (...authorities: readonly NamingAuthority[]): string => {
      const answer = verifyNamed(presented(called(names.dns('b.example'))), authorities)
      return answer instanceof Refusal ? answer.code : answer.id
    }
    const stranger: NamingAuthority = { name: 'other', roots: [parsedOf(authority().der)], identity: 'dns' }
    const keys = { keys: root.keys }
    const weak = extensions.nameConstraints([names.dns('a.example')])
    const strict: NamingAuthority = {
      name: 'strict',
      roots: [parsedOf(authority({ ...keys, also: [weak] }).der)],
      identity: 'dns',
    }
    const gone: NamingAuthority = { ...stranger, roots: new Refusal('bundle_unavailable') }
    const notPermitted = 'certificate_name_not_permitted'
    expect(code(stranger)).toBe('certificate_untrusted')
    expect([code(strict, stranger), code(stranger, strict)]).toEqual([notPermitted, notPermitted])
    expect([code(strict, gone), code(gone, strict), code(stranger, gone)]).toEqual(
      Array.from({ length: 3 }, () => 'bundle_unavailable'),
    )
    // One that is not there keeps nobody out whom another one knows.
    expect(code(gone, one('dns'))).toBe('x509:old#dns=b.example')
    expect(verifyNamed(presented([]), [])).toMatchObject({
      code: 'certificate_untrusted',
      detail: { expected: 'an authority', actual: 'none' },
    })
  })
})

describe('what OpenSSL holds against a certificate', () => {
  const svid = ca.svid('/x')
  const asked = async (authorizationError: unknown): Promise<string> => {
    const guard = guardOf({ trustDomains: { 'prod.example': ca.bundle } })
    const socket = { ...connectionOf(await svid), authorized: false, authorizationError }
    return codeOf(await guard.decide(requestWith(undefined, socket), authenticated()))
  }

  test.each([
    'UNABLE_TO_GET_ISSUER_CERT',
    'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    'SELF_SIGNED_CERT_IN_CHAIN',
    'CERT_HAS_EXPIRED',
    'CERT_NOT_YET_VALID',
  ])('is answered by our own validation: %s', async (complaint) => {
    expect(await asked(complaint)).toBe('allow')
  })

  test.each(['CERT_REVOKED', 'CERT_SIGNATURE_FAILURE', 'UNABLE_TO_GET_CRL', '', undefined])(
    'stands if our validation says nothing of it: %s',
    async (complaint) => {
      expect(await asked(complaint)).toBe('certificate_rejected_by_tls')
    },
  )

  test('is told', () => {
    expect(tlsFlaw({ tlsError: undefined })).toBeUndefined()
    expect(tlsFlaw({ tlsError: 'CERT_REVOKED' })).toMatchObject({
      detail: { expected: 'a certificate that TLS accepts', actual: 'CERT_REVOKED' },
    })
  })
})

describe('an authority', () => {
  test('vouches for its own names, and for no SPIFFE ID', async () => {
    const spiffe = { names: [url('spiffe://prod.example/x')] }
    expect(await callerOf(spiffe, both, ca)).toBe('spiffe://prod.example/x')
    expect(await callerOf(spiffe, both, corp)).toBe('certificate_untrusted')
    expect(await callerOf(spiffe, byDns, corp)).toBe('trust_domain_unknown')
    const own = { names: [dns('a.example')] }
    expect(await callerOf(own, both, corp)).toBe('x509:corp#dns=a.example')
    expect(await callerOf(own, both, ca)).toBe('certificate_untrusted')
  })

  test('is asked about whoever has no SPIFFE ID, and only where there is one', async () => {
    const byName = { names: [dns('a.example')] }
    expect(await callerOf(byName, guardOf({ trustDomains: { 'prod.example': ca.bundle } }), ca)).toBe(
      'svid_id_malformed',
    )
    const mentioned = { names: [url('https://a.example/spiffe://prod.example/x'), dns('a.example')] }
    expect(await callerOf(mentioned, both, corp)).toBe('x509:corp#dns=a.example')
  })

  test('is not asked about names that cannot be read', async () => {
    const unreadable = leaf(authority(), {
      extensions: [extensions.keyUsage(0x80), extension('2.5.29.17', true, sequence())],
    })
    const decision = await both.decide(
      requestWith(undefined, connectionOf({ der: unreadable })),
      authenticated(),
    )
    expect(codeOf(decision)).toBe('svid_id_malformed')
  })

  test('does not make up for a bad SVID by another name beside it', async () => {
    const beside = (uri: string) => ({ names: [url(uri), dns('a.example')] })
    for (const uri of ['spiffe://prod.example', 'SPIFFE://prod.example/x', 'spiffe:prod.example/x']) {
      expect(await callerOf(beside(uri), both, corp)).toBe('svid_id_malformed')
    }
  })

  test('is asked for what every path is asked for', async () => {
    const own = { names: [dns('a.example')] }
    expect(await callerOf({ ...own, purposes: ['serverAuth'] })).toBe('certificate_purpose_mismatch')
    expect(await callerOf({ ...own, basicConstraints: { ca: true } })).toBe('certificate_not_a_leaf')
    const past = { notBefore: new Date(Date.now() - 7_200_000), notAfter: new Date(Date.now() - 3_600_000) }
    expect(await callerOf({ ...own, ...past })).toBe('certificate_expired')
  })

  test('is one of several, each with its own way of naming', async () => {
    const second = await createTestCa({ name: 'Second' })
    const guard = guardOf({
      authorities: {
        corp: { roots: corp.bundle, identity: 'dns' },
        second: { roots: second.bundle, identity: { subject: 'commonName' } },
      },
    })
    expect(await callerOf({ names: [dns('a.example')] }, guard, corp)).toBe('x509:corp#dns=a.example')
    expect(await callerOf({ names: [], commonName: 'a' }, guard, second)).toBe('x509:second#commonName=a')
    expect(await callerOf({ names: [], commonName: 'a' }, guard, corp)).toBe('certificate_identity_malformed')
    const third = await createTestCa({ name: 'Third' })
    expect(await callerOf({ names: [dns('a.example')] }, guard, third)).toBe('certificate_untrusted')
    const expired = { names: [dns('a.example')], notAfter: new Date(Date.now() - 1000) }
    expect(await callerOf(expired, guard, corp)).toBe('certificate_expired')
  })

  test('is no workload that a token could be of', async () => {
    const idp = await createTestIssuer({
      represents: 'workload',
      workloadClaim: 'spiffe_id',
      trustDomains: ['prod.example'],
    })
    const guard = guardOf(
      { authorities: { corp: { roots: corp.bundle, identity: 'dns' } } },
      { audience: 'orders', issuers: [idp] },
    )
    const svid = await corp.svid('/x', { names: [dns('a.example')] })
    const { authorization } = await idp.headersFor('checkout', {
      claims: { spiffe_id: 'spiffe://prod.example/x' },
    })
    const decision = await guard.decide(requestWith(authorization, connectionOf(svid)), authenticated())
    expect(codeOf(decision)).toBe('identity_mismatch')
  })

  test.each([
    ['certificates.trustDomains', {}],
    ['certificates.trustDomains', { authorities: {} }],
    ['certificates.authorities', { authorities: [corp.bundle] }],
    ["certificates.authorities['Corp']", { authorities: { Corp: { roots: corp.bundle, identity: 'dns' } } }],
    ["certificates.authorities['corp'].roots", { authorities: { corp: { identity: 'dns' } } }],
    ["certificates.authorities['corp'].identity", { authorities: { corp: { roots: corp.bundle } } }],
    [
      "certificates.authorities['corp'].identity",
      { authorities: { corp: { roots: corp.bundle, identity: 'cn' } } },
    ],
    [
      "certificates.authorities['corp'].identity.subject",
      { authorities: { corp: { roots: corp.bundle, identity: { subject: 'title' } } } },
    ],
    [
      "certificates.authorities['b'].roots",
      {
        authorities: {
          a: { roots: corp.bundle, identity: 'dns' },
          b: { roots: corp.bundle, identity: { subject: 'commonName' } },
        },
      },
    ],
  ])('with a wrong `%s` is a mistake that is told when the guard is made', (option, certificates) => {
    expect(() => guardOf(certificates)).toThrow(
      expect.objectContaining({ code: 'configuration_invalid', option }),
    )
  })
})

function parsedOf(certificate: Uint8Array) {
  const parsed = parseCertificate(certificate)
  if (parsed instanceof Refusal) throw new Error(parsed.detail.actual)
  return parsed
}

const pemOf = ({ der: octets }: Authority): string =>
  `-----BEGIN CERTIFICATE-----\n${octets.toString('base64')}\n-----END CERTIFICATE-----\n`
