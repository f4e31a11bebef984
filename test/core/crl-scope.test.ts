// What a revocation list is about: users or authorities, reasons, distribution points.
import { describe, expect, test } from 'vitest'
import { crl, crlExtensions, distributionPoints, pointReasons, scopes } from './support/der-crl.ts'
import {
  attribute,
  authority,
  der,
  integer,
  leaf,
  name,
  names,
  sequence,
  text,
} from './support/der-certificate.ts'
import { root, revoked, unavailable, verdict, seven } from './support/crl-verdict.ts'

describe('the scope of a list', () => {
  const issuing = authority({}, root)
  const scoped = (...fields: readonly Uint8Array[]): Buffer =>
    crl(root, { also: [crlExtensions.scope(...fields)] })

  test.each([
    ['users', scopes.users, ['accepted', unavailable]],
    ['authorities', scopes.authorities, [unavailable, 'accepted']],
    ['attribute certificates', scopes.attributes, [unavailable, unavailable]],
    [
      'both users and authorities, which is nobody',
      Buffer.concat([scopes.users, scopes.authorities]),
      [unavailable, unavailable],
    ],
  ])('may be %s', (_, fields, verdicts) => {
    const below = leaf(issuing)
    expect([
      verdict(seven, [scoped(fields)]),
      verdict(below, [scoped(fields), crl(issuing)], { pool: [issuing] }),
    ]).toEqual(verdicts)
  })

  test('is enough where several are together', () => {
    const asked = { pool: [issuing] }
    const both = [scoped(scopes.users), scoped(scopes.authorities), crl(issuing)]
    expect(verdict(seven, both, asked)).toBe('accepted')
    expect(verdict(leaf(issuing), both, asked)).toBe('accepted')
  })

  test('may be some reasons, which are not enough unless they are all of them together', () => {
    const most = scoped(scopes.reasons(1, 2, 3, 4, 5, 6, 7))
    const rest = scoped(scopes.reasons(8))
    expect(verdict(seven, [most])).toBe(unavailable)
    expect(verdict(seven, [rest])).toBe(unavailable)
    expect(verdict(seven, [most, rest])).toBe('accepted')
    expect(verdict(seven, [scoped(scopes.reasons(0, 1, 2, 3, 4, 5, 6, 7))])).toBe(unavailable)
    expect(verdict(seven, [scoped(scopes.reasons(1, 2, 3, 4, 5, 6, 7, 8))])).toBe('accepted')
    expect(verdict(seven, [scoped(scopes.reasons(0, 1, 2, 3, 4, 5, 6, 7, 8))])).toBe('accepted')
    const some = { also: [crlExtensions.scope(scopes.reasons(1))], revoked: [7] }
    expect(verdict(seven, [crl(root, some)])).toBe(revoked)
    expect(verdict(seven, [crl(root, some), crl(root)])).toBe(revoked)
  })

  const uri = (value: string): Buffer => names.uri(`http://crl.example/${value}`)
  const point = (...fields: readonly Uint8Array[]): Buffer => sequence(...fields)
  const withPoints = (...points: readonly Uint8Array[]): Buffer =>
    leaf(root, { extensions: [distributionPoints(...points)] })
  const common = (value: string): Buffer => attribute('2.5.4.3', text(0x0c, value))
  const directory = names.directory(sequence(der(0x31, common('Root')), der(0x31, common('Shard'))))
  const crlIssuer = (...list: readonly Uint8Array[]): Buffer => der(0xa2, ...list)

  test.each([
    ['the same', [point(scopes.point(uri('a')))], [uri('a')], 'accepted'],
    ['another', [point(scopes.point(uri('a')))], [uri('b')], unavailable],
    ['one of several', [point(scopes.point(uri('a'), uri('b')))], [uri('c'), uri('b')], 'accepted'],
    [
      'of another point',
      [point(scopes.point(uri('a'))), point(scopes.point(uri('b')))],
      [uri('b')],
      'accepted',
    ],
    ['of another kind', [point(scopes.point(names.dns('a')))], [names.uri('a')], unavailable],
    ['an address', [point(scopes.point(names.ip(192, 0, 2, 1)))], [names.ip(192, 0, 2, 1)], 'accepted'],
    ['another address', [point(scopes.point(names.ip(192, 0, 2, 1)))], [names.ip(192, 0, 2, 2)], unavailable],
    ['of a kind that nobody reads', [point(scopes.point(names.other()))], [names.other()], unavailable],
    ['in a directory', [point(scopes.point(directory))], [directory], 'accepted'],
    ['relative to its issuer', [point(scopes.relative(common('Shard')))], [directory], 'accepted'],
    ['relative to something else', [point(scopes.relative(common('Other')))], [directory], unavailable],
    ['missing', [], [uri('a')], unavailable],
    [
      'of its issuer, which it names',
      [point(scopes.point(uri('a')), crlIssuer(names.directory(name('Root'))))],
      [uri('a')],
      'accepted',
    ],
    [
      'of its issuer, without another name',
      [point(crlIssuer(names.directory(name('Root'))))],
      [names.directory(name('Root'))],
      'accepted',
    ],
    [
      'of another authority',
      [point(scopes.point(uri('a')), crlIssuer(names.directory(name('Other'))))],
      [uri('a')],
      unavailable,
    ],
    ['unreadable', [point(scopes.point(uri('a')), integer(1))], [uri('a')], unavailable],
    ['beside one that is unreadable', [point(scopes.point(uri('a'))), integer(1)], [uri('a')], unavailable],
    [
      'beside a name that is not DER',
      [point(scopes.point(uri('a'), der(0xa0, Buffer.from('x'))))],
      [uri('a')],
      unavailable,
    ],
  ])('may be a distribution point: %s', (_, points, listed, code) => {
    const certificate = points.length === 0 ? seven : withPoints(...points)
    expect(verdict(certificate, [scoped(scopes.point(...listed))])).toBe(code)
    // A list of everything is one of every point.
    expect(verdict(certificate, [crl(root)])).toBe('accepted')
  })

  test('may be a distribution point that is relative to the issuer of the list', () => {
    const certificate = withPoints(point(scopes.point(directory)))
    expect(verdict(certificate, [scoped(scopes.relative(common('Shard')))])).toBe('accepted')
    expect(verdict(certificate, [scoped(scopes.relative(common('Other')))])).toBe(unavailable)
  })

  test('does not hide a revocation on a list of another point, nor take one from there', () => {
    const lists = [
      crl(root, { also: [crlExtensions.scope(scopes.point(uri('a')))] }),
      crl(root, { revoked: [1], also: [crlExtensions.scope(scopes.point(uri('b')))] }),
    ]
    expect(verdict(withPoints(point(scopes.point(uri('a')))), lists)).toBe('accepted')
    expect(verdict(withPoints(point(scopes.point(uri('b')))), lists)).toBe(revoked)
  })

  test('is what list and point have in common, where the point is of some reasons', () => {
    const [some, rest] = [
      [1, 2, 3, 4],
      [5, 6, 7, 8],
    ]
    const certificate = withPoints(
      point(scopes.point(uri('a')), pointReasons(...some)),
      point(scopes.point(uri('b')), pointReasons(...rest)),
    )
    const [a, b] = [scoped(scopes.point(uri('a'))), scoped(scopes.point(uri('b')))]
    expect(verdict(certificate, [a])).toBe(unavailable)
    expect(verdict(certificate, [a, b])).toBe('accepted')
    const twice = withPoints(
      point(scopes.point(uri('a')), pointReasons(...some)),
      point(scopes.point(uri('a')), pointReasons(...rest)),
    )
    expect(verdict(twice, [a])).toBe('accepted')
    const narrow = scoped(scopes.point(uri('b')), scopes.reasons(1, 5, 6, 7))
    expect(verdict(certificate, [a, narrow])).toBe(unavailable)
    expect(verdict(certificate, [scoped(scopes.point(uri('a'), uri('b')))])).toBe('accepted')
  })
})
