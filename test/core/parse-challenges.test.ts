// The reader that judges our challenges is worth as much as what it refuses.
import { expect, test } from 'vitest'
import { parseChallenges } from './support/parse-challenges.ts'

test('what RFC 9449 prints is read', () => {
  const field = 'Bearer error="invalid_token", error_description="Invalid \\"x\\"", DPoP algs="ES256 PS256"'
  expect(parseChallenges(field)).toEqual([
    { scheme: 'Bearer', parameters: { error: 'invalid_token', error_description: 'Invalid "x"' } },
    { scheme: 'DPoP', parameters: { algs: 'ES256 PS256' } },
  ])
  expect(parseChallenges('Bearer, DPoP algs="ES256"').map(({ scheme }) => scheme)).toEqual(['Bearer', 'DPoP'])
})

test.each([
  '',
  ' Bearer',
  'Bearer ',
  'Bearer,',
  'Bearer, ',
  'Bearer,DPoP',
  'Bearer  realm="x"',
  'Bearer realm="x',
  'Bearer realm=x',
  'Bearer realm="x" ',
  'Bearer realm="x",error="y"',
  'Bearer realm="x" error="y"',
  'Bearer realm="a"b"',
  'Bearer realm="a\nb"',
  'Bearer realm="caf\u00e9"',
  'Bearer realm="x", realm="y"',
  'Bearer realm="x", DPoP realm="y", realm="z"',
  'Bearer realm = "x"',
  'realm="x"',
  'Bearer abc',
])('%j is no field of challenges', (field) => {
  expect(() => parseChallenges(field)).toThrow(/expected/)
})
