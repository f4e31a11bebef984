// Whom a certificate may have asked about itself: nobody but those that the operator has configured.
import '@countersign/testing'
import { describe, expect, test } from 'vitest'
import { chooseResponder } from '../../packages/core/src/identity/revocation/ocsp-responder-choice.ts'
import { extension, extensions, hex, leaf, names, oid, sequence, text } from './support/der-certificate.ts'
import { parsed, root, type Asked } from './support/ocsp-answers.ts'
import { statusHouse } from './support/ocsp-statuses.ts'

const ocsp = '1.3.6.1.5.5.7.48.1'
const caIssuers = '1.3.6.1.5.5.7.48.2'
const describes = (location: Uint8Array, method = ocsp) => sequence(oid(method), location)
const naming = (...descriptions: readonly Uint8Array[]) =>
  parsed(
    leaf(root, {
      extensions: [
        extensions.keyUsage(0x80),
        ...(descriptions.length === 0
          ? []
          : [extension('1.3.6.1.5.5.7.1.1', false, sequence(...descriptions))]),
      ],
    }),
  )
const byUrl = (...urls: readonly string[]) => naming(...urls.map((url) => describes(names.uri(url))))

const one = { url: new URL('http://one.test/ocsp') }
const two = { url: new URL('http://two.test') }

describe('of several responders', () => {
  test.each([
    ['the one that it names', byUrl('http://two.test/'), two],
    ['the one that it names, in another spelling of the same URL', byUrl('HTTP://two.test:80'), two],
    ['the one of several that is configured', byUrl('http://evil.test/', 'http://one.test/ocsp'), one],
    ['the one that is configured first, of two', byUrl('http://two.test/', 'http://one.test/ocsp'), one],
    [
      'the one behind other descriptions',
      naming(
        describes(names.uri('http://two.test/'), caIssuers),
        describes(names.dns('two.test')),
        describes(names.uri('http://one.test/ocsp')),
      ),
      one,
    ],
    ['none where it names none', naming(), undefined],
    ['none where it names another', byUrl('http://169.254.169.254/'), undefined],
    [
      'none where it names one that begins alike',
      byUrl('http://one.test/ocsp/x', 'http://one.test/'),
      undefined,
    ],
    [
      'none where it adds a user, a query or a fragment',
      byUrl('http://a@one.test/ocsp', 'http://one.test/ocsp?', 'http://one.test/ocsp#'),
      undefined,
    ],
    ['none where it names no URL', byUrl('one.test', '', '//'), undefined],
    [
      'none where it names where the issuer is',
      naming(describes(names.uri('http://one.test/ocsp'), caIssuers)),
      undefined,
    ],
    [
      'none where the place is of another kind',
      naming(describes(names.dns('http://one.test/ocsp'))),
      undefined,
    ],
    [
      'none where one description has more in it',
      naming(
        describes(names.uri('http://one.test/ocsp')),
        sequence(oid(ocsp), names.uri('http://two.test/'), hex('0500')),
      ),
      undefined,
    ],
    [
      'none where one has less',
      naming(describes(names.uri('http://one.test/ocsp')), sequence(oid(ocsp))),
      undefined,
    ],
    [
      'none where its text is not ASCII',
      naming(describes(names.uri('http://one.test/ocsp')), describes(text(0x86, 'http://two.test/\u00e9'))),
      undefined,
    ],
    [
      'none where there are too many',
      naming(...Array.from({ length: 64 }, () => describes(names.other()))),
      undefined,
    ],
  ])('it is %s', (_, certificate, expected) => {
    expect(chooseResponder(certificate, [one, two])).toBe(expected)
  })
})

test('a single one is asked, whatever a certificate names', () => {
  for (const certificate of [naming(), byUrl('http://evil.test/'), naming(sequence(oid(ocsp)))]) {
    expect(chooseResponder(certificate, [one])).toBe(one)
  }
})

test('T08 a certificate that names a URL of its own sends nobody there', async () => {
  const house = statusHouse({ responders: [one.url, two.url] })
  const about = (certificate: Asked['certificate']) =>
    house.statuses.learn([{ certificate, issuer: parsed(root.der) }])
  expect(await about(byUrl('http://169.254.169.254/latest/meta-data'))).toBe(true)
  expect(house.sent).toHaveLength(0)
  void about(byUrl('http://169.254.169.254/', 'http://two.test/'))
  expect(house.sent.map(({ url }) => url.href)).toEqual(['http://two.test/'])
})
