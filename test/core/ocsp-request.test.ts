// What is asked of an OCSP responder, octet by octet.
import '@countersign/testing'
import { expect, test } from 'vitest'
import { derValue } from '../../packages/core/src/identity/certificate/der-writer.ts'
import {
  certIdOf,
  keyHashOf,
  ocspRequestOf,
} from '../../packages/core/src/identity/revocation/ocsp-request.ts'
import { authority, der, hex, integer, leaf, name, oid, sequence, text } from './support/der-certificate.ts'
import { askedOf, keyHash, parsed, root, sha1 } from './support/ocsp-answers.ts'

const sha1Algorithm = sequence(oid('1.3.14.3.2.26'), hex('0500'))
const certIdWith = (issuerName: Uint8Array, serialNumber: Uint8Array) =>
  sequence(sha1Algorithm, der(0x04, sha1(issuerName)), der(0x04, keyHash(root.keys)), serialNumber)

test.each([
  ['small', integer(1)],
  ['with its highest bit set', integer(0, 0x80)],
  ['of 20 octets', integer(0x7f, ...Array.from({ length: 19 }, (_, i) => i))],
])(
  'a certificate with a serial number that is %s is told from others as RFC 6960 §4.1.1 says',
  (_, serialNumber) => {
    const { certId } = askedOf(root, { serialNumber })
    expect(Buffer.from(certId)).toEqual(certIdWith(root.subject, serialNumber))
  },
)

test('a serial number of zero has an octet', () => {
  const { certId } = askedOf(root, { serialNumber: integer(0) })
  expect(Buffer.from(certId)).toEqual(certIdWith(root.subject, integer(0)))
})

test('the name of the issuer is hashed as it stands in the certificate that is asked about', () => {
  const shouting = sequence(der(0x31, sequence(oid('2.5.4.3'), text(0x13, 'ROOT'))))
  const certificate = parsed(leaf(root, { parts: { issuer: shouting } }))
  const issuer = parsed(root.der)
  expect(certificate.issuer.comparable).toBe(issuer.subject.comparable)
  expect(Buffer.from(certIdOf({ certificate, issuer }))).toEqual(certIdWith(shouting, integer(1)))
})

test('a key is hashed without the tag, the length and the unused bits of its bit string', () => {
  expect(keyHashOf(parsed(root.der))).toEqual(keyHash(root.keys))
  expect(keyHashOf(parsed(authority({ subject: name('x') }).der))).not.toEqual(keyHash(root.keys))
})

test('a request names one certificate and no more', () => {
  const { certId } = askedOf(root)
  expect(Buffer.from(ocspRequestOf(certId, undefined))).toEqual(
    sequence(sequence(sequence(sequence(certId)))),
  )
})

test('a nonce is an octet string in the octet string of its extension', () => {
  const { certId } = askedOf(root)
  const nonce = Buffer.alloc(32, 7)
  const extensions = sequence(sequence(oid('1.3.6.1.5.5.7.48.1.2'), der(0x04, der(0x04, nonce))))
  expect(Buffer.from(ocspRequestOf(certId, nonce))).toEqual(
    sequence(sequence(sequence(sequence(certId)), der(0xa2, extensions))),
  )
})

test.each([0, 1, 0x7f, 0x80, 0xff, 0x100, 0xffff])(
  'a value of %i octets has the shortest length',
  (length) => {
    const content = Buffer.alloc(length, 1)
    expect(Buffer.from(derValue(0x04, content))).toEqual(der(0x04, content))
  },
)

test('what is too long for a request is not written', () => {
  expect(() => derValue(0x04, Buffer.alloc(0x10000))).toThrow(RangeError)
})
