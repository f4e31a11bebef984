// Path validation: each check that stands between a certificate and a trust anchor, and the bounds of the search.
import {
  X509Certificate,
  constants,
  createSecretKey,
  generateKeyPairSync,
  sign,
  verify as verifySignature,
} from 'node:crypto'
import { Refusal, validatePath, type PathOptions } from '@countersign/core/certificate'
import { describe, expect, test, vi } from 'vitest'
import {
  isStrongKey,
  isStrongSignature,
} from '../../packages/core/src/identity/certificate/certificate-algorithms.ts'
import { parseCertificate } from '../../packages/core/src/identity/certificate/parsed-certificate.ts'
import { isSignedWith } from '../../packages/core/src/identity/certificate/signed-data.ts'
import {
  validatePath as search,
  type PathQuestion,
} from '../../packages/core/src/identity/certificate/validate-path.ts'
import {
  anyUsage,
  at,
  authority,
  clientAuth,
  createKeys,
  der,
  ecdsaWithSha256,
  extension,
  extensions,
  hex,
  integer,
  leaf,
  name,
  names,
  oid,
  sequence,
  serverAuth,
  spkiOf,
  time,
  yes,
  type Authority,
  type AuthorityOptions,
  type CertificateParts,
  type LeafOptions,
} from './support/der-certificate.ts'
import {
  byKeyId,
  rootedAuthorities,
} from '../../packages/core/src/identity/certificate/rooted-authorities.ts'
import { tries } from './support/tries.ts'

const root = authority()
const issuing = authority({}, root)

interface Asked extends Partial<PathOptions> {
  readonly anchors?: readonly Authority[]
  readonly pool?: readonly Authority[]
}

function answerTo(certificate: Uint8Array, { anchors = [root], pool = [], ...options }: Asked = {}) {
  return validatePath({
    leaf: certificate,
    intermediates: pool.map((one) => one.der),
    trustAnchors: anchors.map((one) => one.der),
    at,
    purpose: 'clientAuth',
    ...options,
  })
}

function verdictOf(certificate: Uint8Array, asked: Asked = {}): string {
  const answer = answerTo(certificate, asked)
  if (!(answer instanceof Refusal)) return 'accepted'
  return `${answer.code}: ${answer.detail.actual}`
}

function parsedOf(certificate: Uint8Array) {
  const parsed = parseCertificate(certificate)
  if (parsed instanceof Refusal) throw new Error(parsed.detail.actual)
  return parsed
}

/** What the search is asked, beneath the options of the building block. */
const questionAbout = (
  certificate: Uint8Array,
  pool: readonly Authority[],
  anchors: readonly Authority[],
): PathQuestion => ({
  leaf: parsedOf(certificate),
  intermediates: pool.map((one) => parsedOf(one.der)),
  anchors: anchors.map((one) => parsedOf(one.der)),
  nowMs: at.getTime(),
  purpose: 'clientAuth',
})

const from = (value: string): Partial<CertificateParts> => ({
  validity: sequence(time(value), time('300101000000Z')),
})
const until = (value: string): Partial<CertificateParts> => ({
  validity: sequence(time('250101000000Z'), time(value)),
})

test('a path may be of any length, with and without intermediates', () => {
  expect(verdictOf(leaf(root))).toBe('accepted')
  expect(verdictOf(leaf(issuing), { pool: [issuing] })).toBe('accepted')
  const below = authority({ commonName: 'Below' }, issuing)
  expect(verdictOf(leaf(below), { pool: [below, issuing] })).toBe('accepted')
  expect(verdictOf(leaf(below), { pool: [issuing, below] })).toBe('accepted')
})

describe('time', () => {
  const [start, end] = [Date.parse('2025-01-01T00:00:00Z'), Date.parse('2030-01-01T00:00:00Z')]

  test.each([
    [start - 1, 'certificate_not_yet_valid: the leaf starts at 2025-01-01T00:00:00.000Z'],
    [start, 'accepted'],
    [end, 'accepted'],
    // The last second is part of it, whole (RFC 5280 §4.1.2.5).
    [end + 999, 'accepted'],
    [end + 1000, 'certificate_expired: the leaf expired at 2030-01-01T00:00:00.000Z'],
  ])('%i', (moment, verdict) => {
    expect(verdictOf(leaf(root), { at: moment })).toBe(verdict)
    expect(verdictOf(leaf(root), { at: new Date(moment) })).toBe(verdict)
  })

  test('is asked of every certificate, the anchor as well', () => {
    const [old, young] = [
      authority({ parts: until('260101000000Z') }),
      authority({ parts: from('270101000000Z') }),
    ]
    expect(verdictOf(leaf(old), { anchors: [old] })).toMatch(/^certificate_expired: authority 1 /)
    expect(verdictOf(leaf(young), { anchors: [young] })).toMatch(/^certificate_not_yet_valid: authority 1 /)
    const between = authority({ parts: until('260101000000Z') }, root)
    expect(verdictOf(leaf(between), { pool: [between] })).toBe(
      'certificate_expired: authority 1 above the leaf, with serial number 01, expired at 2026-01-01T00:00:00.000Z',
    )
  })

  test('of a path is the time of all of it', () => {
    const between = authority({ parts: from('260101000000Z') }, root)
    expect(answerTo(leaf(between), { pool: [between] })).toMatchObject({
      notBefore: Date.parse('2026-01-01T00:00:00Z'),
      notAfter: end,
    })
    const short = authority({ parts: until('270101000000Z') }, root)
    expect(answerTo(leaf(short), { pool: [short] })).toMatchObject({
      notBefore: start,
      notAfter: Date.parse('2027-01-01T00:00:00Z'),
    })
  })
})

describe('an issuer', () => {
  const verdictBelow = (options: AuthorityOptions): string => {
    const asIntermediate = authority(options, root)
    const asAnchor = authority(options)
    const verdict = verdictOf(leaf(asIntermediate), { pool: [asIntermediate] })
    // What an anchor says of itself is respected as well.
    expect(verdictOf(leaf(asAnchor), { anchors: [asAnchor] }).split(':')[0]).toBe(verdict.split(':')[0])
    return verdict.split(':')[0] ?? ''
  }
  const notAuthorized = 'certificate_issuer_not_authorized'
  const [isCa, maySign] = [extensions.authority(), extensions.keyUsage(0x04)]

  test.each([
    ['says that it is one', { extensions: [isCa, maySign] }, 'accepted'],
    ['has no keyUsage', { extensions: [isCa] }, 'accepted'],
    ['does not say what it is', { extensions: [maySign] }, notAuthorized],
    [
      'says that it is none',
      { extensions: [extension('2.5.29.19', true, sequence()), maySign] },
      notAuthorized,
    ],
    ['may not sign certificates', { extensions: [isCa, extensions.keyUsage(0x82)] }, notAuthorized],
    ['issues for clients', { also: [extensions.extKeyUsage(serverAuth, clientAuth)] }, 'accepted'],
    ['issues for any use', { also: [extensions.extKeyUsage(anyUsage)] }, 'accepted'],
    ['issues for servers', { also: [extensions.extKeyUsage(serverAuth)] }, notAuthorized],
    [
      'has a critical extension that nobody knows',
      { also: [extension('1.2.3.4', true, Buffer.from('x'))] },
      'certificate_extension_unsupported',
    ],
    [
      'has a critical key identifier',
      { also: [extension('2.5.29.14', true, der(0x04, Buffer.from('x')))] },
      'certificate_extension_unsupported',
    ],
    [
      'has an extension that nobody knows',
      { also: [extension('1.2.3.4', false, Buffer.from('x'))] },
      'accepted',
    ],
    [
      'has critical policies',
      { also: [extension('2.5.29.32', true, sequence(sequence(oid('1.2.3'))))] },
      'accepted',
    ],
    [
      'constrains policies, and does not say that it matters',
      { also: [extension('2.5.29.36', false, sequence(der(0x80, Buffer.from([0]))))] },
      'certificate_extension_unsupported',
    ],
    [
      'has names that cannot be read',
      { also: [extension('2.5.29.17', false, sequence())] },
      'certificate_malformed',
    ],
  ] satisfies [string, AuthorityOptions, string][])('that %s: %s', (_, options, code) => {
    expect(verdictBelow(options)).toBe(code)
  })

  test.each([
    [0, 0, 'accepted'],
    [0, 1, notAuthorized],
    [1, 1, 'accepted'],
    [1, 2, notAuthorized],
    [2, 2, 'accepted'],
  ])('with path length %i and %i authorities below it: %s', (pathLength, count, verdict) => {
    const anchor = authority({ pathLength })
    let last = anchor
    const pool: Authority[] = []
    for (let i = 0; i < count; i += 1) pool.push((last = authority({ commonName: `CA ${i}` }, last)))
    expect(verdictOf(leaf(last), { anchors: [anchor], pool }).split(':')[0]).toBe(verdict)
  })

  test('does not count those that only renew their own key', () => {
    const anchor = authority({ pathLength: 0 })
    const renewed = authority({ commonName: 'Root' }, anchor)
    expect(verdictOf(leaf(renewed), { anchors: [anchor], pool: [renewed] })).toBe('accepted')
    const other = authority({ commonName: 'Other' }, renewed)
    expect(verdictOf(leaf(other), { anchors: [anchor], pool: [renewed, other] })).toMatch(notAuthorized)
  })

  test('has the name that stands in the certificate, whatever the strings are spelled with', () => {
    const renamed = leaf(root, { parts: { issuer: name('Somebody') } })
    expect(verdictOf(renamed)).toBe('certificate_untrusted: none found')
    expect(verdictOf(leaf(root, { parts: { issuer: name(' ROOT ') } }))).toBe('accepted')
  })

  test('has the key that signed the certificate', () => {
    const namesake = authority()
    expect(verdictOf(leaf(namesake))).toBe('certificate_untrusted: none found')
    expect(verdictOf(leaf(namesake), { anchors: [root, namesake] })).toBe('accepted')
  })

  test('is trusted for nothing unless it is an anchor', () => {
    const stranger = authority({ commonName: 'Stranger' })
    expect(verdictOf(leaf(stranger), { pool: [stranger] })).toBe('certificate_untrusted: none found')
    expect(verdictOf(leaf(stranger), { anchors: [] })).toBe('certificate_untrusted: none found')
  })

  test('may be an anchor without being a root', () => {
    expect(verdictOf(leaf(issuing), { anchors: [issuing] })).toBe('accepted')
  })
})

describe('a leaf', () => {
  const good = [extensions.keyUsage(0x80), extensions.extKeyUsage(clientAuth)]

  test.each([
    ['good for calling', good, 'accepted'],
    ['without usages', [], 'accepted'],
    [
      'with more usages',
      [extensions.keyUsage(0x88), extensions.extKeyUsage(serverAuth, clientAuth)],
      'accepted',
    ],
    ['for key agreement', [extensions.keyUsage(0x08)], 'certificate_purpose_mismatch'],
    ['for servers', [extensions.extKeyUsage(serverAuth)], 'certificate_purpose_mismatch'],
    ['for any use', [extensions.extKeyUsage(anyUsage)], 'certificate_purpose_mismatch'],
    ['that is an authority', [extensions.authority(), ...good], 'certificate_not_a_leaf'],
    ['that may sign certificates', [extensions.keyUsage(0x84)], 'certificate_not_a_leaf'],
    ['that may sign revocation lists', [extensions.keyUsage(0x82)], 'certificate_not_a_leaf'],
    [
      'with a critical extension that nobody knows',
      [extension('1.2.3.4', true, Buffer.from('x'))],
      'certificate_extension_unsupported',
    ],
    ['with a path length', [extension('2.5.29.19', true, sequence(integer(0)))], 'accepted'],
  ] satisfies [string, Buffer[], string][])('%s: %s', (_, list, code) => {
    expect(verdictOf(leaf(root, { extensions: list })).split(':')[0]).toBe(code)
  })

  test('for servers is good for being called', () => {
    const forServers = leaf(root, { extensions: [extensions.extKeyUsage(serverAuth)] })
    expect(verdictOf(forServers, { purpose: 'serverAuth' })).toBe('accepted')
    expect(verdictOf(leaf(root), { purpose: 'serverAuth' })).toMatch('certificate_purpose_mismatch')
    const clients = authority({ also: [extensions.extKeyUsage(clientAuth)] })
    const unspecific = leaf(clients, { extensions: [] })
    expect(verdictOf(unspecific, { anchors: [clients], purpose: 'serverAuth' })).toMatch('not_authorized')
    expect(verdictOf(unspecific, { anchors: [clients] })).toBe('accepted')
  })

  test('that is an anchor itself vouches for nobody', () => {
    const selfSigned = authority({ extensions: good })
    expect(verdictOf(selfSigned.der, { anchors: [selfSigned] })).toMatch('not_authorized')
  })
})

describe('algorithms', () => {
  const rsa = (modulusLength: number, publicExponent = 65_537) =>
    spkiOf(generateKeyPairSync('rsa', { modulusLength, publicExponent }))
  const ec = (namedCurve: string) => spkiOf(generateKeyPairSync('ec', { namedCurve }))
  const pss = spkiOf(generateKeyPairSync('rsa-pss', { modulusLength: 2048 }))
  const weak = 'certificate_algorithm_weak'

  test.each([
    ['P-256', ec('P-256'), 'accepted'],
    ['P-384', ec('P-384'), 'accepted'],
    ['P-521', ec('P-521'), 'accepted'],
    ['Ed25519', spkiOf(generateKeyPairSync('ed25519')), 'accepted'],
    ['RSA 2048', rsa(2048), 'accepted'],
    ['RSA 2048 with exponent 3', rsa(2048, 3), 'accepted'],
    ['RSA-PSS 2048', pss, 'accepted'],
    ['RSA 1024', rsa(1024), weak],
    ['RSA 2047', rsa(2047), weak],
    ['RSA of a length that is no whole octets', rsa(2052), weak],
    ['secp256k1', ec('secp256k1'), weak],
    ['P-224', ec('secp224r1'), weak],
    ['X25519', spkiOf(generateKeyPairSync('x25519')), weak],
    [
      'a curve that is spelled out',
      generateKeyPairSync('ec', { namedCurve: 'P-256', paramEncoding: 'explicit' }).publicKey.export({
        type: 'spki',
        format: 'der',
      }),
      weak,
    ],
  ])('a key of %s', (_, publicKey, code) => {
    expect(verdictOf(leaf(root, { parts: { publicKey } })).split(':')[0]).toBe(code)
  })

  /** An RSA key whose modulus has so many octets, all of them ones. */
  const rsaOf = (octets: number, exponent: Buffer, lastOctet = 0xff): Buffer => {
    const modulus = Buffer.concat([
      Buffer.from([0]),
      Buffer.alloc(octets - 1, 0xff),
      Buffer.from([lastOctet]),
    ])
    const key = sequence(der(0x02, modulus), der(0x02, exponent))
    const rsaEncryption = sequence(oid('1.2.840.113549.1.1.1'), hex('0500'))
    return sequence(rsaEncryption, der(0x03, Buffer.from([0]), key))
  }

  test.each([
    ['a huge exponent', rsaOf(256, hex('0100000001'))],
    ['an even exponent', rsaOf(256, hex('04'))],
    ['the exponent 1', rsaOf(256, hex('01'))],
    // OpenSSL reads these as 65281 and 32769.
    ['a negative exponent', rsaOf(256, hex('ff01'))],
    ['the lowest exponent of two octets', rsaOf(256, hex('8001'))],
    ['an even modulus', rsaOf(256, hex('010001'), 0xfe)],
    ['a modulus of 2040 bits', rsaOf(255, hex('010001'))],
    ['a modulus of 8200 bits', rsaOf(1025, hex('010001'))],
  ])('an RSA key with %s is weak', (_, publicKey) => {
    expect(verdictOf(leaf(root, { parts: { publicKey } })).split(':')[0]).toBe(weak)
  })

  test.each([
    ['the exponent 127', rsaOf(256, hex('7f'))],
    ['the largest exponent', rsaOf(256, hex('00ffffffff'))],
    ['a modulus of 8192 bits', rsaOf(1024, hex('010001'))],
  ])('an RSA key with %s counts', (_, publicKey) => {
    expect(isStrongKey(publicKey)).toBe(true)
    expect(verdictOf(leaf(root, { parts: { publicKey } }))).toBe('accepted')
  })

  test('an RSA key whose modulus is negative is weak', () => {
    const key = sequence(der(0x02, Buffer.alloc(257, 0x81)), der(0x02, hex('010001')))
    const publicKey = sequence(sequence(oid('1.2.840.113549.1.1.1'), none), der(0x03, Buffer.from([0]), key))
    expect(isStrongKey(publicKey)).toBe(false)
  })

  test.each([
    ['ECDSA with SHA-1', sequence(oid('1.2.840.10045.4.1'))],
    ['ECDSA with SHA-224', sequence(oid('1.2.840.10045.4.3.1'))],
    ['ECDSA with SHA-256 and parameters', sequence(oid('1.2.840.10045.4.3.2'), hex('0500'))],
    ['RSA with SHA-1', sequence(oid('1.2.840.113549.1.1.5'), hex('0500'))],
    ['RSA with MD5', sequence(oid('1.2.840.113549.1.1.4'), hex('0500'))],
    ['DSA', sequence(oid('1.2.840.10040.4.3'))],
    ['RSASSA-PSS with its defaults, which are SHA-1', sequence(oid('1.2.840.113549.1.1.10'), sequence())],
    ['nothing', sequence(oid('1.2.3.4'))],
  ])('a signature of %s is weak, but for an anchor, whose signature proves nothing', (_, innerAlgorithm) => {
    const parts = { innerAlgorithm }
    expect(verdictOf(leaf(root, { parts }))).toMatch(`${weak}: the leaf`)
    const between = authority({ parts }, root)
    expect(verdictOf(leaf(between), { pool: [between] })).toMatch(`${weak}: authority 1`)
    const anchor = authority({ parts })
    expect(verdictOf(leaf(anchor), { anchors: [anchor] })).toBe('accepted')
  })

  const none = hex('0500')
  const sha = { 256: '2.16.840.1.101.3.4.2.1', 384: '2.16.840.1.101.3.4.2.2', 512: '2.16.840.1.101.3.4.2.3' }
  const pssWith = (hash: string, mask: string, salt: number, ...parameters: readonly Buffer[]): Buffer => {
    const maskGeneration = sequence(oid('1.2.840.113549.1.1.8'), sequence(oid(mask), ...parameters))
    return sequence(
      oid('1.2.840.113549.1.1.10'),
      sequence(
        der(0xa0, sequence(oid(hash), ...parameters)),
        der(0xa1, maskGeneration),
        der(0xa2, integer(salt)),
      ),
    )
  }

  // RFC 4055 §3.1 and §5, RFC 8410 §3.
  test.each([
    ['PSS with SHA-256', pssWith(sha[256], sha[256], 32, none), true],
    ['PSS with SHA-384', pssWith(sha[384], sha[384], 48, none), true],
    ['PSS with SHA-512', pssWith(sha[512], sha[512], 64, none), true],
    ['PSS without NULL', pssWith(sha[256], sha[256], 32), true],
    ['PSS with another mask', pssWith(sha[256], sha[512], 32, none), false],
    ['PSS with a short salt', pssWith(sha[256], sha[256], 20, none), false],
    ['PSS with SHA-1', pssWith('1.3.14.3.2.26', '1.3.14.3.2.26', 20, none), false],
    ['RSA with SHA-256', sequence(oid('1.2.840.113549.1.1.11'), none), true],
    ['RSA with SHA-384 without NULL', sequence(oid('1.2.840.113549.1.1.12')), true],
    ['RSA with SHA-512', sequence(oid('1.2.840.113549.1.1.13'), none), true],
    ['RSA with SHA-224', sequence(oid('1.2.840.113549.1.1.14'), none), false],
    ['ECDSA with SHA-384', sequence(oid('1.2.840.10045.4.3.3')), true],
    ['ECDSA with SHA-512', sequence(oid('1.2.840.10045.4.3.4')), true],
    ['Ed25519', sequence(oid('1.3.101.112')), true],
    ['Ed25519 with parameters', sequence(oid('1.3.101.112'), none), false],
  ])('a signature of %s counts: %s', (_, algorithm, isStrong) => {
    expect(isStrongSignature(algorithm)).toBe(isStrong)
  })

  describe('of what else an authority signs', () => {
    const rsaKeys = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const pssKeys = generateKeyPairSync('rsa-pss', { modulusLength: 2048 })
    const pssOf512 = generateKeyPairSync('rsa-pss', {
      modulusLength: 2048,
      hashAlgorithm: 'sha512',
      mgf1HashAlgorithm: 'sha512',
    })
    const [ecKeys, edKeys] = [createKeys(), generateKeyPairSync('ed25519')]
    const padding = constants.RSA_PKCS1_PSS_PADDING
    const signed = Buffer.from('a list of those that are revoked')
    const pkcs1 = sequence(oid('1.2.840.113549.1.1.11'), none)
    const pss256 = pssWith(sha[256], sha[256], 32, none)
    const ed25519 = sequence(oid('1.3.101.112'))
    const signedBy = (keys: typeof ecKeys, hash: string | null, saltLength?: number): Buffer =>
      sign(hash, signed, {
        key: keys.privateKey,
        ...(saltLength === undefined ? {} : { padding, saltLength }),
      })

    test.each([
      ['RSA', rsaKeys, pkcs1, signedBy(rsaKeys, 'sha256'), true],
      ['PSS with an RSA key', rsaKeys, pss256, signedBy(rsaKeys, 'sha256', 32), true],
      ['PSS with a PSS key', pssKeys, pss256, signedBy(pssKeys, 'sha256', 32), true],
      ['ECDSA', ecKeys, ecdsaWithSha256, signedBy(ecKeys, 'sha256'), true],
      ['Ed25519', edKeys, ed25519, signedBy(edKeys, null), true],
      ['another salt', rsaKeys, pss256, signedBy(rsaKeys, 'sha256', 20), false],
      ['PSS that says that it is PKCS #1', rsaKeys, pkcs1, signedBy(rsaKeys, 'sha256', 32), false],
      ['PKCS #1 that says that it is PSS', rsaKeys, pss256, signedBy(rsaKeys, 'sha256'), false],
      ['another hash', ecKeys, ecdsaWithSha256, signedBy(ecKeys, 'sha384'), false],
      ['SHA-1', ecKeys, sequence(oid('1.2.840.10045.4.1')), signedBy(ecKeys, 'sha1'), false],
      ['a name of another kind of key', ecKeys, pkcs1, signedBy(ecKeys, 'sha256'), false],
      ['a PSS key that signs otherwise', pssKeys, pkcs1, signedBy(pssKeys, 'sha256', 32), false],
      ['a PSS key of another hash', pssOf512, pss256, signedBy(pssOf512, 'sha512', 64), false],
    ])('%s: %s', (_, keys, algorithm, signature, isSigned) => {
      expect(isSignedWith(keys.publicKey, { signed, algorithm, signature })).toBe(isSigned)
      const changed = Buffer.from(`${signed.toString()}!`)
      expect(isSignedWith(keys.publicKey, { signed: changed, algorithm, signature })).toBe(false)
    })

    test('a secret signs nothing', () => {
      const secret = createSecretKey(Buffer.alloc(32))
      expect(isSignedWith(secret, { signed, algorithm: pkcs1, signature: Buffer.alloc(32) })).toBe(false)
    })
  })

  test('an issuer with a weak key vouches for nobody', () => {
    const keys = generateKeyPairSync('ec', { namedCurve: 'secp256k1' })
    const between = authority({ keys }, root)
    expect(verdictOf(leaf(between), { pool: [between] })).toMatch(`${weak}: authority 1`)
    const anchor = authority({ keys })
    expect(verdictOf(leaf(anchor), { anchors: [anchor] })).toMatch(`${weak}: authority 1`)
  })
})

describe('the search', () => {
  test('tries every issuer of the name before it gives up', () => {
    const keys = createKeys()
    const options = { commonName: 'Issuer', keys }
    const broken = [
      authority({ ...options, parts: until('260101000000Z') }, root),
      authority({ ...options, extensions: [extensions.keyUsage(0x06)] }, root),
      authority({ commonName: 'Issuer' }, root),
      authority(options, authority()),
    ]
    const good = authority(options, root)
    const certificate = leaf(good)
    expect(verdictOf(certificate, { pool: broken })).toMatch(/^certificate_expired: authority 1 /)
    expect(verdictOf(certificate, { pool: [...broken, good] })).toBe('accepted')
  })

  test('ends in circles', () => {
    const [a, b] = [createKeys(), createKeys()]
    const first = authority({ commonName: 'A', keys: a }, authority({ commonName: 'B', keys: b }))
    const second = authority({ commonName: 'B', keys: b }, authority({ commonName: 'A', keys: a }))
    expect(verdictOf(leaf(first), { pool: [first, second] })).toBe('certificate_untrusted: none found')
    const loop = authority({ commonName: 'A', keys: a })
    expect(verdictOf(leaf(loop), { pool: [loop, loop, first, second] })).toBe(
      'certificate_untrusted: none found',
    )
  })

  test('never takes the same key of the same name twice', () => {
    const [a, b] = [createKeys(), createKeys()]
    const rooted = authority({ commonName: 'A', keys: a }, root)
    const crossed = authority({ commonName: 'A', keys: a }, authority({ commonName: 'B', keys: b }))
    const back = authority({ commonName: 'B', keys: b }, authority({ commonName: 'A', keys: a }))
    const paths: string[][] = []
    const refused = new Refusal('certificate_revoked')
    const answer = search({
      ...questionAbout(leaf(rooted), [crossed, back, rooted], [root]),
      revocationFlaw: (path) => {
        paths.push(path.map(({ subject }) => subject.comparable.split(':')[1] ?? ''))
        return refused
      },
    })
    expect(answer).toBe(refused)
    expect(paths).toEqual([['leaf', 'a', 'root']])
  })

  test('takes the same key of another name', () => {
    const keys = createKeys()
    const above = authority({ commonName: 'Above', keys }, root)
    const below = authority({ commonName: 'Below', keys }, above)
    expect(verdictOf(leaf(below), { pool: [above, below] })).toBe('accepted')
  })

  test('uses no key of what nobody trusted vouches for, and of nobody who could not', () => {
    const checksOf = (certificate: Buffer, pool: readonly Authority[], anchor: Authority): string[] => {
      const checks: string[] = []
      const counted = (one: PathQuestion['leaf'], of: string) =>
        Object.assign({}, one, {
          isSignedBy: (issuer: PathQuestion['leaf']) => {
            checks.push(of)
            return one.isSignedBy(issuer)
          },
        })
      const asked = questionAbout(certificate, pool, [anchor])
      const answer = search({
        ...asked,
        leaf: counted(asked.leaf, 'leaf'),
        intermediates: asked.intermediates.map((one) => counted(one, 'intermediate')),
      })
      expect(answer).toBeInstanceOf(Refusal)
      return checks
    }
    const stranger = authority({}, authority())
    expect(checksOf(leaf(stranger), [stranger], root)).toEqual(['intermediate'])
    for (const anchor of [
      authority({ extensions: [extensions.keyUsage(0x06)] }),
      authority({ parts: until('260101000000Z') }),
    ]) {
      const between = authority({}, anchor)
      expect(checksOf(leaf(between), [between], anchor)).toEqual([])
    }
  })

  test('goes eight authorities deep unless it is told otherwise', () => {
    const chain: Authority[] = []
    let last = root
    for (let i = 0; i < 9; i += 1) chain.push((last = authority({ commonName: `CA ${i}` }, last)))
    const [deep, deeper] = [chain[7], chain[8]]
    if (deep === undefined || deeper === undefined) throw new Error('a chain of nine')
    const pool = chain.toReversed()
    expect(verdictOf(leaf(deep), { pool })).toBe('accepted')
    expect(verdictOf(leaf(deeper), { pool })).toBe('certificate_untrusted: none found')
    expect(verdictOf(leaf(deeper), { pool, limits: { maxIntermediates: 9 } })).toBe('accepted')
    expect(verdictOf(leaf(issuing), { pool: [issuing], limits: { maxIntermediates: 0 } })).toMatch(
      'untrusted',
    )
    expect(verdictOf(leaf(root), { limits: { maxIntermediates: 0 } })).toBe('accepted')
  })

  test('looks first where key identifiers point, and elsewhere after that', () => {
    const strangers = Array.from({ length: 40 }, () =>
      authority({ also: [extensions.subjectKeyId('theirs')] }),
    )
    const anchor = authority({ also: [extensions.subjectKeyId('ours')] })
    const pointing = (keyId: string): Buffer =>
      leaf(anchor, { extensions: [extensions.keyUsage(0x80), extensions.authorityKeyId(keyId)] })
    const all = { anchors: [...strangers, anchor], limits: { maxSignatureChecks: 1 } }
    expect(verdictOf(pointing('ours'), all)).toBe('accepted')
    const misled = 'certificate_untrusted: none found within the bounds of the search'
    expect(verdictOf(pointing('theirs'), all)).toBe(misled)
    // A hint, and no reason to trust or not to.
    expect(verdictOf(pointing('theirs'), { anchors: [anchor] })).toBe('accepted')
    const two = [...strangers.slice(-1), anchor]
    expect(verdictOf(pointing('theirs'), { anchors: two })).toBe('accepted')
    expect(verdictOf(pointing('ours'), { ...all, anchors: two })).toBe('accepted')
  })

  test('keeps the order in which issuers stand, but for those that are named', () => {
    const of = (keyId?: string) =>
      parsedOf(authority({ also: keyId === undefined ? [] : [extensions.subjectKeyId(keyId)] }).der)
    const [one, two, three] = [of('one'), of(), of('three')]
    const below = (keyId?: string) =>
      parsedOf(leaf(root, { extensions: keyId === undefined ? [] : [extensions.authorityKeyId(keyId)] }))
    expect(byKeyId([one, two, three], below('three'))).toEqual([three, one, two])
    expect(byKeyId([one, two], below('other'))).toEqual([one, two])
    expect(byKeyId([one, two], below())).toEqual([one, two])
    expect(byKeyId(undefined, below('one'))).toEqual([])
  })

  test('checks 32 signatures and looks at 256 issuers, whatever the pool', () => {
    const strangers = Array.from({ length: 33 }, () => authority())
    const certificate = leaf(root)
    const exhausted = 'certificate_untrusted: none found within the bounds of the search'
    expect(verdictOf(certificate, { anchors: [...strangers.slice(2), root] })).toBe('accepted')
    expect(verdictOf(certificate, { anchors: [...strangers, root] })).toBe(exhausted)
    const limits = { maxSignatureChecks: 34 }
    expect(verdictOf(certificate, { anchors: [...strangers, root], limits })).toBe('accepted')
    const few = { anchors: [...strangers.slice(2), root], limits: { maxCandidates: 31 } }
    expect(verdictOf(certificate, few)).toBe(exhausted)
    expect(verdictOf(certificate, { ...few, limits: { maxCandidates: 32 } })).toBe('accepted')
    const enough = { anchors: strangers.slice(2), limits: { maxCandidates: 31, maxSignatureChecks: 32 } }
    expect(verdictOf(certificate, enough)).toBe('certificate_untrusted: none found')
  })

  test('is looked through once for each authority that signatures lead to, however many are thrown in', () => {
    const below = parseCertificate(leaf(issuing))
    const one = parseCertificate(authority({ commonName: 'Intermediate' }, root).der)
    if (below instanceof Refusal || one instanceof Refusal) throw new Error('a leaf and an authority')
    let reads = 0
    // All of one name, which is their issuer's as well.
    const pool = Array.from({ length: 2000 }, () => ({
      ...one,
      issuer: below.issuer,
      authorityKeyId: 'a',
      get subjectKeyId() {
        reads += 1
        return 'b'
      },
      get subject() {
        reads += 1
        return below.issuer
      },
    }))
    const byName = Map.groupBy(pool, () => below.issuer.comparable)
    let asked = 0
    const found = rootedAuthorities(below, { intermediates: byName, anchors: new Map() }, () => {
      asked += 1
      return false
    })
    expect([found.size, asked]).toEqual([0, 0])
    const anchors = new Map([[below.issuer.comparable, [one]]])
    const some = rootedAuthorities(
      below,
      { intermediates: byName, anchors },
      (_subject, issuer, isAnchor) => {
        asked += 1
        expect(isAnchor).toBe(issuer === one)
        return issuer === one ? asked === 1 : asked < 2010
      },
    )
    expect(some.size).toBe(10)
    expect(asked).toBeLessThan(12 * 2000)
    expect(reads).toBeLessThan(10 * 2000)
  })

  test('of authorities that all vouch for each other ends, and no signature is checked twice', () => {
    const names_ = Array.from({ length: 9 }, (_, i) => ({ commonName: `CA ${i}`, keys: createKeys() }))
    const self = names_.map((one) => authority(one))
    const pool = names_.flatMap((one, i) =>
      self.flatMap((issuer, j) => (i === j ? [] : authority(one, issuer))),
    )
    const [first] = self
    if (first === undefined) throw new Error('an authority')
    const parsed = [leaf(first), ...pool.map((one) => one.der)].map((each) => parseCertificate(each))
    let checks = 0
    const counted = parsed.map((one) => {
      if (one instanceof Refusal) throw new Error(one.detail.actual)
      const isSignedBy = (issuer: typeof one): boolean => {
        checks += 1
        return one.isSignedBy(issuer)
      }
      return Object.assign({}, one, { isSignedBy })
    })
    const [certificate, ...intermediates] = counted
    if (certificate === undefined) throw new Error('a leaf')
    const question = {
      leaf: certificate,
      intermediates,
      anchors: [],
      nowMs: at.getTime(),
      purpose: 'clientAuth' as const,
      limits: { maxIntermediates: 8, maxSignatureChecks: 10_000, maxCandidates: 5000 },
    }
    expect(search(question)).toMatchObject({ code: 'certificate_untrusted' })
    // Nobody trusted vouches for one of them.
    expect(checks).toBe(0)
    const anchors = self.slice(-1).map((one) => parseCertificate(one.der))
    const refused = new Refusal('certificate_revoked')
    const rooted = { ...question, anchors: anchors as typeof intermediates, revocationFlaw: () => refused } // parsed above as well
    expect(search(rooted)).toBe(refused)
    // 72 intermediates, each with 9 of a name that could have issued it, and the leaf.
    expect(checks).toBeLessThanOrEqual(73 * 9)
    expect(checks).toBeGreaterThan(50)
  })

  test('checks the signature of an authority that is kept once, and that of each leaf', () => {
    const [anchor, intermediate, ...leaves] = [root.der, issuing.der, leaf(issuing), leaf(issuing)].map(
      (octets) => {
        const parsed = parseCertificate(octets)
        if (parsed instanceof Refusal) throw new Error('a certificate')
        return parsed
      },
    )
    if (anchor === undefined || intermediate === undefined) throw new Error('two authorities')
    const verify = vi.spyOn(X509Certificate.prototype, 'verify')
    for (const one of leaves) {
      const question = { leaf: one, intermediates: [intermediate], anchors: [anchor] }
      expect(search({ ...question, nowMs: at.getTime(), purpose: 'clientAuth' })).toEqual([
        one,
        intermediate,
        anchor,
      ])
    }
    expect(verify).toHaveBeenCalledTimes(3)
    verify.mockRestore()
    // The right one says nothing of any other key.
    expect(intermediate.isSignedBy(intermediate)).toBe(false)
    expect(intermediate.isSignedBy(anchor)).toBe(true)
  })

  test('costs little beyond its signatures', () => {
    const certificate = leaf(issuing)
    const anchor = parseCertificate(root.der)
    if (anchor instanceof Refusal) throw new Error('a root')
    const signed = new X509Certificate(issuing.der)
    const validate = (): unknown => {
      const [one, two] = [parseCertificate(certificate), parseCertificate(issuing.der)]
      if (one instanceof Refusal || two instanceof Refusal) throw new Error('a leaf and an authority')
      return search({
        leaf: one,
        intermediates: [two],
        anchors: [anchor],
        nowMs: at.getTime(),
        purpose: 'clientAuth',
      })
    }
    const timeOf = (run: () => unknown): number => {
      const began = performance.now()
      run()
      return performance.now() - began
    }
    const median = (times: readonly number[]): number =>
      times.toSorted((x, y) => x - y)[Math.floor(times.length / 2)] ?? Infinity
    // By turns: what else the machine does happens to both.
    const rounds = Array.from({ length: tries(301) }, () => [
      timeOf(validate),
      timeOf(() => [signed.verify(anchor.publicKey), signed.verify(anchor.publicKey)]),
    ])
    const [whole, signatures] = [0, 1].map((which) => median(rounds.map((times) => times[which] ?? Infinity)))
    expect((whole ?? Infinity) / (signatures ?? 0)).toBeLessThan(8)
  })
})

describe('a refusal says what was expected, and which certificate has what', () => {
  const above = 'authority 1 above the leaf, with serial number 01,'
  const below = (options: AuthorityOptions): readonly [Buffer, Asked] => {
    const between = authority(options, root)
    return [leaf(between), { pool: [between] }]
  }
  const own = (...list: readonly Buffer[]): readonly [Buffer, Asked] => [leaf(root, { extensions: list }), {}]
  const unreadable = extension('2.5.29.30', true, sequence())
  const many = Array.from({ length: 250 }, (_, i) => names.dns(`b${i}.a.example`))
  const subtrees = Array.from({ length: 128 }, () => names.dns('a.example'))

  function tooManyNames(): readonly [Buffer, Asked] {
    const also = [extensions.nameConstraints(subtrees)]
    const chain = [authority({ also })]
    for (let depth = 1; depth < 5; depth += 1) {
      chain.push(authority({ commonName: `CA ${depth}`, also }, chain[depth - 1]))
    }
    const [anchor = root, last = root] = [chain[0], chain[4]]
    return [leaf(last, { names: many }), { anchors: [anchor], pool: chain }]
  }

  test.each([
    [
      below({ parts: until('260101000000Z') }),
      'a certificate in time',
      `${above} expired at 2026-01-01T00:00:00.000Z`,
    ],
    [
      below({ parts: from('270101000000Z') }),
      'a certificate in time',
      `${above} starts at 2027-01-01T00:00:00.000Z`,
    ],
    [
      [leaf(root, { parts: { innerAlgorithm: sequence(oid('1.2.840.10045.4.1')) } }), {}],
      'SHA-256 or better, RSA 2048, P-256 or Ed25519',
      'the leaf has another key or signature',
    ],
    [
      [leaf(root, { parts: { serialNumber: integer() } }), {}],
      'certificates in strict DER, after RFC 5280',
      'an integer without octets',
    ],
    [
      [leaf(root, { parts: { serialNumber: integer(0) } }), {}],
      'a serial number that is positive',
      'the leaf has zero',
    ],
    [
      own(extension('1.2.3.4', true, hex('0500'))),
      'no critical extension but the common ones',
      'the leaf has 1.2.3.4',
    ],
    [below({ also: [unreadable] }), 'name constraints that can be read', `${above} has others`],
    [own(extension('2.5.29.17', true, sequence())), 'alternative names in strict DER', 'the leaf has others'],
    [own(extensions.authority()), 'no CA, no keyCertSign and no cRLSign', 'the leaf has one of them'],
    [own(extensions.keyUsage(0x08)), 'keyUsage with digitalSignature', 'the leaf has one without'],
    [own(extensions.extKeyUsage(serverAuth)), 'extKeyUsage with clientAuth', 'the leaf has other usages'],
    [below({ extensions: [] }), 'an issuer that has basicConstraints with cA', `${above} has not`],
    [
      below({ extensions: [extensions.authority(), extensions.keyUsage(0x02)] }),
      'an issuer that has keyUsage with keyCertSign',
      `${above} has not`,
    ],
    [
      below({ also: [extensions.extKeyUsage(serverAuth)] }),
      'an issuer that has extKeyUsage with clientAuth',
      `${above} has not`,
    ],
    [
      tooManyNames(),
      'names within the name constraints of authority 4 above the leaf',
      'the leaf has more names than can be compared',
    ],
    [[leaf(authority()), {}], 'a path to a trust anchor', 'none found'],
    [
      [leaf(root), { anchors: [authority(), root], limits: { maxSignatureChecks: 1 } }],
      'a path to a trust anchor',
      'none found within the bounds of the search',
    ],
    [
      [leaf(root), { expectedName: { dns: 'a.example' } }],
      'an alternative name that is the expected DNS name',
      'others',
    ],
    [
      [leaf(root, { extensions: [] }), { expectedName: { ip: '192.0.2.1' } }],
      'an alternative name that is the expected IP address',
      'no alternative names',
    ],
    [
      [leaf(root), { expectedName: { email: 'a@a.example' } }],
      'an alternative name that is the expected e-mail address',
      'others',
    ],
  ] satisfies [readonly [Buffer, Asked], string, string][])(
    '%#: %s',
    ([certificate, asked], expected, actual) => {
      expect(answerTo(certificate, asked)).toMatchObject({ detail: { expected, actual } })
    },
  )

  test('and how long a path may be, and what to do about none', () => {
    const anchor = authority({ pathLength: 0 })
    const between = authority({}, anchor)
    expect(answerTo(leaf(between), { anchors: [anchor], pool: [between] })).toMatchObject({
      detail: {
        expected: 'an issuer that has at most 0 authorities below it',
        actual: 'authority 2 above the leaf, with serial number 01, has not',
      },
    })
    expect(answerTo(leaf(authority()))).toMatchObject({
      detail: {
        advice: 'check that the caller sends its intermediates, and that what is trusted is current',
      },
    })
  })
})

test('a path that was verified shows what it consists of, and cannot be changed', () => {
  const certificate = leaf(issuing, {
    names: [
      names.uri('spiffe://prod.example/a'),
      names.dns('a.example'),
      names.email('a@a.example'),
      names.ip(1, 2, 3, 4),
    ],
  })
  const answer = answerTo(certificate, { pool: [issuing, authority({ commonName: 'Nobody' })] })
  if (answer instanceof Refusal) throw new Error(answer.code)
  expect(answer.certificates.map((each) => Buffer.from(each))).toEqual([certificate, issuing.der, root.der])
  expect(answer.names).toEqual({
    uris: ['spiffe://prod.example/a'],
    dnsNames: ['a.example'],
    emailAddresses: ['a@a.example'],
  })
  for (const part of [answer, answer.certificates, answer.names, ...Object.values(answer.names)]) {
    expect(Object.isFrozen(part)).toBe(true)
  }
})

test('the corpus is what it says: its certificates are signed as OpenSSL signs', () => {
  const certificate = leaf(root, {} satisfies LeafOptions)
  const algorithmAt = certificate.lastIndexOf(ecdsaWithSha256)
  const signature = certificate.subarray(algorithmAt + ecdsaWithSha256.length + 3)
  const tbs = certificate.subarray(4, algorithmAt)
  expect(verifySignature('sha256', tbs, root.keys.publicKey, signature)).toBe(true)
  expect(yes).toEqual(hex('0101ff'))
})
