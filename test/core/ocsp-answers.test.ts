// What an OCSP answer has to be before it is believed: one thing is wrong in each.
import { constants, createHash, generateKeyPairSync, sign } from 'node:crypto'
import '@countersign/testing'
import { describe, expect, test } from 'vitest'
import { readOcspAnswer } from '../../packages/core/src/identity/revocation/ocsp-answer.ts'
import {
  authority,
  der,
  extension,
  hex,
  integer,
  name,
  oid,
  sequence,
  spkiOf,
  type Keys,
} from './support/der-certificate.ts'
import {
  answer,
  answerAbout,
  askedOf,
  byKey,
  byName,
  delegate,
  generalizedTime,
  hour,
  minute,
  now,
  root,
  says,
  sha1,
  single,
  wrap,
  type AnswerOptions,
  type SingleOptions,
} from './support/ocsp-answers.ts'

const asked = askedOf(root, { serialNumber: integer(0x42) })
const read = (octets: Uint8Array, nonce?: Uint8Array, at = now) =>
  readOcspAnswer(octets, { ...asked, nonce }, at)
const readAbout = (status: Omit<SingleOptions, 'certId'> = {}, more: Partial<AnswerOptions> = {}) =>
  read(answerAbout(asked, status, more))
const good = { status: { kind: 'good', until: now + hour - minute }, thisUpdate: now - minute }

const unknownExtension = (isCritical: boolean) => extension('1.3.6.1.4.1.55555.1', isCritical, hex('0500'))
const nonce = Buffer.alloc(32, 7)
const nonceExtension = (value: Uint8Array, isCritical = false) =>
  extension('1.3.6.1.5.5.7.48.1.2', isCritical, value)

describe('an answer is believed', () => {
  test('that calls the certificate good, until its nextUpdate', () => {
    expect(readAbout()).toEqual(good)
  })

  test('by a responder that is named by its key', () => {
    expect(readAbout({}, { responder: byKey(root) })).toEqual(good)
  })

  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }
  const sha256Of = sequence(oid('2.16.840.1.101.3.4.2.1'), hex('0500'))
  const pssParameters = sequence(
    der(0xa0, sha256Of),
    der(0xa1, sequence(oid('1.2.840.113549.1.1.8'), sha256Of)),
    der(0xa2, integer(32)),
  )
  test.each<[string, Keys, Pick<AnswerOptions, 'algorithm' | 'sign'>]>([
    [
      'RSA',
      rsa,
      {
        algorithm: sequence(oid('1.2.840.113549.1.1.11'), hex('0500')),
        sign: (d, k) => sign('sha256', d, k),
      },
    ],
    [
      'RSASSA-PSS',
      rsa,
      {
        algorithm: sequence(oid('1.2.840.113549.1.1.10'), pssParameters),
        sign: (d, key) => sign('sha256', d, { key, ...pss }),
      },
    ],
    [
      'Ed25519',
      generateKeyPairSync('ed25519'),
      { algorithm: sequence(oid('1.3.101.112')), sign: (d, k) => sign(null, d, k) },
    ],
  ])('that an authority has signed with %s', (_, keys, more) => {
    const signer = { ...authority({ commonName: 'Root', parts: { publicKey: spkiOf(keys) } }) }
    const about = askedOf(signer)
    const octets = answerAbout(about, {}, { signer: { ...signer, keys }, ...more })
    expect(readOcspAnswer(octets, { ...about, nonce: undefined }, now)).toEqual(good)
    const byOther = answerAbout(about, {}, { signer, ...more, sign: (d, k) => sign('sha256', d, k) })
    expect(readOcspAnswer(byOther, { ...about, nonce: undefined }, now)).toMatch(/key of the issuer/)
  })

  test('that calls it revoked, since when and until when', () => {
    expect(readAbout({ says: says.revoked(now - hour) })).toEqual({
      status: { kind: 'revoked', at: now - hour, until: good.status.until },
      thisUpdate: good.thisUpdate,
    })
  })

  test.each([0, 1, 6, 10])('that calls it revoked, for the reason %i', (reason) => {
    const because = der(0xa0, der(0x0a, Buffer.from([reason])))
    expect(readAbout({ says: says.revoked(now - hour, because) })).toMatchObject({
      status: { kind: 'revoked' },
    })
  })

  test('that does not know it, which is not good', () => {
    expect(readAbout({ says: says.unknown })).toEqual({ status: 'unknown', thisUpdate: good.thisUpdate })
  })

  test('that says something of others as well', () => {
    const others = [2, 3].map((serial) => askedOf(root, { serialNumber: integer(serial) }).certId)
    const singles = [others[0], asked.certId, others[1]].map((certId, i) =>
      single({ certId: certId ?? Buffer.alloc(0), says: i === 1 ? says.good : says.revoked(now) }),
    )
    expect(readAbout({}, { singles })).toEqual(good)
  })

  test('without nextUpdate, for an hour', () => {
    expect(readAbout({ nextUpdate: null, thisUpdate: now - hour })).toMatchObject({ status: { until: now } })
  })

  test('at the very end of its time, and from a clock that is a minute ahead', () => {
    expect(readAbout({ nextUpdate: now })).toMatchObject({ status: { kind: 'good' } })
    expect(readAbout({ thisUpdate: now + minute })).toMatchObject({ status: { kind: 'good' } })
  })

  test('with extensions that are not critical, or are the nonce', () => {
    const extensions = [unknownExtension(false), nonceExtension(der(0x04, nonce), true)]
    expect(readAbout({ extensions: [unknownExtension(false)] }, { extensions })).toEqual(good)
  })

  test('that has the nonce of the question, or none', () => {
    const extensions = [nonceExtension(der(0x04, nonce))]
    expect(read(answerAbout(asked, {}, { extensions }), nonce)).toEqual(good)
    expect(read(answerAbout(asked), nonce)).toEqual(good)
  })
})

const other = askedOf(root, { serialNumber: integer(0x43) })
const cousin = authority({ commonName: 'Root' })
const certIdWith = (algorithm: Uint8Array, nameHash: Uint8Array, keyHash: Uint8Array) =>
  sequence(algorithm, der(0x04, nameHash), der(0x04, keyHash), integer(0x42))
const sha256 = (octets: Uint8Array) => createHash('sha256').update(octets).digest()
const algorithm = sequence(oid('1.3.14.3.2.26'), hex('0500'))
const key = askedOf(root).certId.slice(-25, -5)

describe('an answer says nothing', () => {
  test.each<[string, RegExp, Omit<SingleOptions, 'certId'>, Partial<AnswerOptions>]>([
    ['that is of another type', /another type/, {}, { responseType: '1.3.6.1.5.5.7.48.1.2' }],
    ['that is an error with a body', /tryLater/, {}, { responseStatus: 3 }],
    ['of a version that it names', /responder of no known kind/, {}, { version: der(0xa0, integer(0)) }],
    ['with something behind its data', /behind the last/, {}, { rest: hex('0500') }],
    ['about another number', /other certificates/, {}, { singles: [single({ certId: other.certId })] }],
    ['about nothing', /got nothing/, {}, { singles: [] }],
    [
      'about another authority with the same name',
      /other certificates/,
      {},
      { singles: [single({ certId: askedOf(cousin, { serialNumber: integer(0x42) }).certId })] },
    ],
    [
      'about an authority of another name',
      /other certificates/,
      {},
      { singles: [single({ certId: certIdWith(algorithm, sha1(name('Other')), key) })] },
    ],
    [
      'by another hash',
      /other certificates/,
      {},
      {
        singles: [
          single({
            certId: certIdWith(sequence(oid('2.16.840.1.101.3.4.2.1')), sha256(root.subject), sha256(key)),
          }),
        ],
      },
    ],
    [
      'twice of the same certificate',
      /more than one thing/,
      {},
      { singles: [single({ certId: asked.certId }), single({ certId: asked.certId })] },
    ],
    ['that was produced in the future', /produced in the future/, {}, { producedAt: now + minute + 1000 }],
    [
      'whose status is of the future',
      /status is of the future/,
      { thisUpdate: now + minute + 1000 },
      { producedAt: now },
    ],
    ['that is out of time', /out of time/, { nextUpdate: now - 1000 }, {}],
    ['that ends before it begins', /out of time/, { thisUpdate: now, nextUpdate: now - 1000 }, {}],
    [
      'without nextUpdate and an hour old',
      /no nextUpdate/,
      { nextUpdate: null, thisUpdate: now - hour - 1000 },
      {},
    ],
    ['with a critical extension', /^it has a critical/, {}, { extensions: [unknownExtension(true)] }],
    [
      'whose status has a critical extension',
      /^its status has a critical/,
      { extensions: [unknownExtension(true)] },
      {},
    ],
    [
      'whose status has the nonce as a critical extension',
      /^its status has a critical/,
      { extensions: [nonceExtension(nonce, true)] },
      {},
    ],
    [
      'with an extension twice',
      /twice/,
      {},
      { extensions: [unknownExtension(false), unknownExtension(false)] },
    ],
    ['with a status of a fourth kind', /status of no known kind/, { says: hex('8300') }, {}],
    ['with a good status that holds more', /something in it/, { says: hex('800101') }, {}],
    [
      'with a revocation that holds more',
      /behind the last/,
      { says: der(0xa1, generalizedTime(now), integer(1)) },
      {},
    ],
    ['with a revocation that is empty', /expected the tag/, { says: hex('a100') }, {}],
    [
      'with the time of a certificate',
      /expected the tag/,
      {},
      { singles: [sequence(asked.certId, says.good, der(0x17, Buffer.from('260601000000Z')))] },
    ],
    [
      'with something behind its status',
      /behind the last/,
      {},
      {
        singles: [
          sequence(
            asked.certId,
            says.good,
            generalizedTime(now),
            der(0xa0, generalizedTime(now)),
            hex('0500'),
          ),
        ],
      },
    ],
    [
      'with something behind nextUpdate',
      /behind the last/,
      {},
      {
        singles: [
          sequence(
            asked.certId,
            says.good,
            generalizedTime(now),
            der(0xa0, generalizedTime(now), hex('0500')),
          ),
        ],
      },
    ],
    ['with a responder that is nobody', /expected the tag/, {}, { responder: der(0xa2, integer(1)) }],
    [
      'with a responder of a third kind',
      /responder of no known kind/,
      {},
      { responder: der(0xa3, root.subject) },
    ],
    [
      'with two names of the responder',
      /behind the last/,
      {},
      { responder: der(0xa1, root.subject, root.subject) },
    ],
  ])('%s', (_, expected, status, more) => {
    expect(readAbout(status, more)).toMatch(expected)
  })

  test('with a nonce that is another', () => {
    const extensions = [nonceExtension(der(0x04, Buffer.alloc(32, 8)))]
    expect(read(answerAbout(asked, {}, { extensions }), nonce)).toMatch(/another nonce/)
    const bare = [nonceExtension(nonce)]
    expect(read(answerAbout(asked, {}, { extensions: bare }), nonce)).toMatch(/another nonce/)
  })

  test.each([
    [1, 'malformedRequest'],
    [2, 'internalError'],
    [3, 'tryLater'],
    [5, 'sigRequired'],
    [6, 'unauthorized'],
    [7, 'of no known kind'],
  ])('that is the error %i, which the operator is told', (status, told) => {
    expect(read(sequence(der(0x0a, Buffer.from([status]))))).toContain(told)
  })

  test('that is more than 64 KiB, or ends in something else', () => {
    const singles = [
      single({
        certId: asked.certId,
        extensions: [extension('1.2.3', false, der(0x04, Buffer.alloc(65_000)))],
      }),
    ]
    const long = answerAbout(asked, {}, { singles })
    expect(long.length).toBeLessThan(64 * 1024)
    expect(read(long)).toEqual(good)
    const longer = [
      ...singles,
      single({ certId: other.certId, extensions: [extension('1.2.3', false, der(0x04, Buffer.alloc(200)))] }),
    ]
    expect(read(answerAbout(asked, {}, { singles: longer }))).toMatch(/65536 octets/)
    expect(read(Buffer.concat([answerAbout(asked), hex('0500')]))).toMatch(/behind the last/)
    expect(read(Buffer.alloc(0))).toMatch(/cannot be read/)
    expect(read(wrap(Buffer.alloc(0)))).toMatch(/cannot be read/)
  })

  test('with more certificates, or more statuses, than anybody needs', () => {
    const certificates = Array.from({ length: 9 }, () => root.der)
    expect(readAbout({}, { certificates: certificates.slice(1) })).toEqual(good)
    expect(readAbout({}, { certificates })).toMatch(/more than 8/)
    const singles = Array.from({ length: 257 }, (_, i) =>
      single({ certId: i === 0 ? asked.certId : sequence(integer(1)) }),
    )
    expect(readAbout({}, { singles: singles.slice(1) })).toMatch(/other certificates/)
    expect(readAbout({}, { singles: singles.slice(0, 256) })).toEqual(good)
    expect(readAbout({}, { singles })).toMatch(/more than 256/)
  })

  test('in BER, anywhere: also where nobody looks', () => {
    const indefinite = extension('1.2.3', false, hex('3000'))
    const honest = answerAbout(asked, {}, { extensions: [indefinite] })
    expect(read(honest)).toEqual(good)
    const reason = der(0xa0, hex('0a8101 00'))
    expect(readAbout({ says: says.revoked(now, reason) })).toMatch(/longer form/)
    expect(
      read(sequence(hex('0a0100'), der(0xa0, sequence(oid('1.3.6.1.5.5.7.48.1.1'), hex('0481 00'))))),
    ).toMatch(/longer form/)
  })
})

describe('an answer is not signed by its issuer', () => {
  test.each<[string, RegExp, Partial<AnswerOptions>]>([
    ['where an authority of the same name signed it', /key of the issuer/, { signer: cousin }],
    [
      'where it names the issuer, and a delegate signed it',
      /key of the issuer/,
      { signer: delegate(root), responder: byName(root) },
    ],
    ['where it names another', /names neither/, { responder: byName({ subject: name('Other') }) }],
    ['where it names another key', /names neither/, { responder: byKey(cousin) }],
    [
      'where SHA-1 was signed',
      /key of the issuer/,
      { algorithm: sequence(oid('1.2.840.10045.4.1')), sign: (octets, by) => sign('sha1', octets, by) },
    ],
    [
      'where it was signed by another algorithm than it says',
      /key of the issuer/,
      { algorithm: sequence(oid('1.2.840.10045.4.3.3')) },
    ],
    [
      'where the signature is of something else',
      /key of the issuer/,
      { sign: (octets, by) => sign('sha256', octets.subarray(1), by) },
    ],
    ['where the signature is empty', /key of the issuer/, { sign: () => Buffer.alloc(0) }],
  ])('%s', (_, expected, more) => {
    expect(readAbout({}, more)).toMatch(expected)
  })

  test('where somebody else issued the certificate', () => {
    const foreign = askedOf(cousin, { serialNumber: integer(0x42) })
    const octets = answer({ signer: root, singles: [single({ certId: foreign.certId })] })
    expect(readOcspAnswer(octets, { ...foreign, nonce: undefined }, now)).toMatch(/key of the issuer/)
  })
})
