// Who may answer in an authority's place (RFC 6960 §4.2.2.2): one thing is wrong with each.
import '@countersign/testing'
import { describe, expect, test } from 'vitest'
import { readOcspAnswer } from '../../packages/core/src/identity/revocation/ocsp-answer.ts'
import {
  anyUsage,
  authority,
  clientAuth,
  createKeys,
  extension,
  extensions,
  hex,
  integer,
  name,
  oid,
  sequence,
  text,
  type Authority,
} from './support/der-certificate.ts'
import {
  answerAbout,
  askedOf,
  byKey,
  day,
  delegate,
  delegateExtensions,
  hour,
  minute,
  noCheck,
  now,
  ocspSigning,
  root,
  says,
  type AnswerOptions,
  type DelegateOptions,
  type SingleOptions,
} from './support/ocsp-answers.ts'

const asked = askedOf(root)
function readFrom(
  signer: Authority,
  more: Partial<AnswerOptions> = {},
  status: Omit<SingleOptions, 'certId'> = {},
) {
  const octets = answerAbout(asked, status, { signer, certificates: [signer.der], ...more })
  return readOcspAnswer(octets, { ...asked, nonce: undefined }, now)
}
const good = { status: { kind: 'good', until: now + hour - minute }, thisUpdate: now - minute }

const utc = (ms: number) =>
  text(
    0x17,
    `${new Date(ms)
      .toISOString()
      .slice(2)
      .replaceAll(/[-:T]|\.\d+Z/g, '')}Z`,
  )
const lasting = (from: number, to: number) => ({ validity: sequence(utc(from), utc(to)) })

describe('a delegate is believed', () => {
  test('by its name, and by its key', () => {
    expect(readFrom(delegate(root))).toEqual(good)
    const signer = delegate(root)
    expect(readFrom(signer, { responder: byKey(signer) })).toEqual(good)
  })

  test('among other certificates, readable or not', () => {
    const signer = delegate(root)
    const stranger = delegate(root, { subject: name('Another') })
    const certificates = [sequence(integer(1)), stranger.der, root.der, signer.der]
    expect(readFrom(signer, { certificates })).toEqual(good)
  })

  test('behind one of the same name that is none', () => {
    const signer = delegate(root)
    const impostor = delegate(authority({ commonName: 'Root' }))
    expect(readFrom(signer, { certificates: [impostor.der, signer.der] })).toEqual(good)
    const twin = delegate(root)
    expect(readFrom(signer, { certificates: [twin.der, signer.der] })).toEqual(good)
  })

  test('that has the name of its issuer', () => {
    expect(readFrom(delegate(root, { subject: root.subject }))).toEqual(good)
  })

  test('without nocheck, where it lives for 7 days at most', () => {
    const list = delegateExtensions.slice(0, 2)
    const parts = lasting(now - day, now + 6 * day)
    expect(readFrom(delegate(root, { extensions: list, parts }))).toEqual(good)
  })

  test('with other usages beside, and without keyUsage', () => {
    const list = [extensions.extKeyUsage(clientAuth, ocspSigning), noCheck]
    expect(readFrom(delegate(root, { extensions: list }))).toEqual(good)
  })

  test('until its certificate ends, of what is good', () => {
    const signer = delegate(root, { parts: lasting(now - day, now + minute) })
    expect(readFrom(signer)).toMatchObject({ status: { kind: 'good', until: now + minute } })
  })

  test('until its answer ends, of what is revoked', () => {
    const signer = delegate(root, { parts: lasting(now - day, now + minute) })
    expect(readFrom(signer, {}, { says: says.revoked(now - day) })).toMatchObject({
      status: { kind: 'revoked', until: good.status.until },
    })
  })
})

const sibling = authority({ commonName: 'Sibling' }, root)
const sameName = authority({ commonName: 'Root' })
const intermediate = authority({ commonName: 'Intermediate' }, root)
const [usage = hex(''), purpose = hex('')] = delegateExtensions

describe('a delegate is not believed', () => {
  test.each<[string, RegExp, DelegateOptions, Authority?]>([
    ['of a sibling of the issuer', /another authority/, {}, sibling],
    ['of another authority with the name of the issuer', /another authority/, {}, sameName],
    ['of an authority below the issuer', /another authority/, {}, intermediate],
    ['that names another issuer', /another authority/, { parts: { issuer: name('Other') } }],
    ['without a usage', /no extKeyUsage OCSPSigning/, { extensions: [usage, noCheck] }],
    [
      'for other usages',
      /no extKeyUsage OCSPSigning/,
      { extensions: [usage, extensions.extKeyUsage(clientAuth), noCheck] },
    ],
    [
      'for any usage',
      /no extKeyUsage OCSPSigning/,
      { extensions: [usage, extensions.extKeyUsage(anyUsage), noCheck] },
    ],
    ['that may not sign', /may not sign/, { extensions: [extensions.keyUsage(0x20), purpose, noCheck] }],
    [
      'that is an authority',
      /is an authority/,
      { extensions: [extensions.authority(), usage, purpose, noCheck] },
    ],
    ['that may certify', /is an authority/, { extensions: [extensions.keyUsage(0x84), purpose, noCheck] }],
    ['that has expired', /certificate_expired/, { parts: lasting(now - 2 * day, now - 1000) }],
    ['that has not begun', /certificate_not_yet_valid/, { parts: lasting(now + 1000, now + day) }],
    [
      'with a critical extension of no known kind',
      /certificate_extension_unsupported/,
      { extensions: [...delegateExtensions, extension('1.2.3', true, hex('0500'))] },
    ],
    ['with the number zero', /certificate_malformed/, { parts: { serialNumber: integer(0) } }],
    [
      'that lives for long and may not be checked',
      /neither id-pkix-ocsp-nocheck/,
      { extensions: [usage, purpose] },
    ],
    [
      'that lives for a second more than 7 days and may not be checked',
      /neither id-pkix-ocsp-nocheck/,
      { extensions: [usage, purpose], parts: lasting(now - day, now + 6 * day + 1000) },
    ],
  ])('%s', (_, expected, options, issuer = root) => {
    expect(readFrom(delegate(issuer, options))).toMatch(expected)
  })

  test('that signed with SHA-1, or was signed so', () => {
    const sha1 = sequence(oid('1.2.840.10045.4.1'))
    expect(readFrom(delegate(root), { algorithm: sha1 })).toMatch(/key of the delegate/)
    const signer = delegate(root, { parts: { innerAlgorithm: sha1 } })
    expect(readFrom(signer)).toMatch(/certificate_algorithm_weak/)
  })

  test('whose key is not the one that signed', () => {
    const signer = delegate(root)
    expect(readFrom({ ...signer, keys: createKeys() })).toMatch(/key of the delegate/)
  })

  test('whose certificate is not in the answer', () => {
    const signer = delegate(root)
    expect(readFrom(signer, { certificates: [] })).toMatch(/names neither/)
    expect(readFrom(signer, { certificates: [root.der] })).toMatch(/names neither/)
  })

  test('that another responder is named for', () => {
    const signer = delegate(root)
    expect(readFrom(signer, { responder: byKey(root) })).toMatch(/key of the issuer/)
    expect(readFrom(signer, { responder: byKey(delegate(root)) })).toMatch(/names neither/)
  })

  test('whose certificate was changed', () => {
    const signer = delegate(root)
    const changed = Buffer.from(signer.der)
    const last = changed.length - 1
    changed[last] = (changed[last] ?? 0) ^ 1
    expect(readFrom(signer, { certificates: [changed] })).toMatch(/another authority/)
  })
})

test('a parent does not answer for what its child issued, nor does a delegate of its own', () => {
  const below = askedOf(intermediate)
  for (const signer of [root, delegate(root)]) {
    const octets = answerAbout(below, {}, { signer, certificates: [signer.der] })
    expect(typeof readOcspAnswer(octets, { ...below, nonce: undefined }, now)).toBe('string')
  }
})
