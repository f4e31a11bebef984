// What YAML readers are known to disagree on, or to die of.
import { describe, expect, test } from 'vitest'
import { parsePolicy } from '@countersign/policy'
import { problemsOf, withLines } from './document.ts'

describe('refuses', () => {
  test.each([
    [
      'a key that is written twice',
      'version: 1\nservice: a\nservice: b',
      '3:1 service: the key is written twice: first in line 2, column 1',
    ],
    ['one in JSON', '{"version": 1, "version": 1}', '1:16 version: the key is written twice'],
    ['a scope behind a tag', withLines('service: !!str 7'), '2:16 service: tags are not supported'],
    ['a mapping behind a tag', withLines('zones: !x {}'), 'tags are not supported'],
    ['a function behind a tag', withLines('service: !!js/function "x"'), 'tags are not supported'],
    ['an anchor', withLines('zones: &a {}'), '2:11 zones: anchors are not supported'],
    [
      'an alias',
      withLines('service: &a b', 'zones: { x: [*a] }'),
      '3:14 zones.x[0]: aliases are not supported',
    ],
    ['an alias of nothing', withLines('service: *a'), '2:10 service: aliases are not supported'],
    [
      'a merge key',
      withLines(
        'callers:',
        '  a: { is: [spiffe://td/a] }',
        '  b: { <<: { grants: [a] }, is: [spiffe://td/b] }',
      ),
      '4:8 callers.b["<<"]: there is no such key',
    ],
    [
      'a second document',
      'version: 1\n---\nversion: 1',
      'expected one document, and a second one starts here',
    ],
    ['a directive', '%YAML 1.1\n---\nversion: 1', '1:1 directives such as `%YAML` are not supported'],
    ['tabs in place of spaces', 'version: 1\ncallers:\n\ta: {}', '3:1 the YAML cannot be read here: '],
    ['brackets that stay open', withLines('zones: {'), 'the YAML cannot be read here: '],
    ['a mapping for a key', withLines('? [a]', ': b'), '2:3 expected a name before the colon'],
    ['nothing for a key', withLines(': b'), 'expected a name before the colon'],
    [
      'no, as the name of a service',
      withLines('service: no'),
      "2:10 service: `no` is a boolean in YAML 1.1 and text in YAML 1.2: write true, false, or 'no'",
    ],
    [
      'On, as the name of a caller',
      withLines('callers: { On: { is: [spiffe://td/a] } }'),
      '`On` is a boolean in YAML 1.1',
    ],
    [
      'yes, as the value of a claim',
      withLines('routes: [{ route: GET /, requires: { claims: { staff: yes } } }]'),
      '`yes` is a boolean in YAML 1.1',
    ],
    [
      'yes, as a requirement',
      withLines('routes: [{ route: GET /, requires: { authenticated: yes } }]'),
      '.authenticated: expected true, got "yes"',
    ],
    [
      'a number that is no longer exact',
      withLines('routes: [{ route: GET /, requires: { claims: { id: 12345678901234567890 } } }]'),
      '.id: a number that cannot be held exactly',
    ],
    [
      'a number that is none',
      withLines('routes: [{ route: GET /, requires: { claims: { id: .nan } } }]'),
      '.id: a number that cannot be held exactly',
    ],
    [
      '__proto__ among callers',
      '{"version": 1, "callers": {"__proto__": {"is": ["spiffe://td/a"]}}}',
      'callers.__proto__: expected the name of a caller',
    ],
    [
      '__proto__ among keys',
      '{"version": 1, "__proto__": {"service": "a"}}',
      '__proto__: there is no such key',
    ],
    ['constructor among keys', withLines('constructor: a'), 'constructor: there is no such key'],
    ['a byte order mark within', withLines('service: \uFEFFa'), 'characters that cannot be seen'],
  ])('%s', (_, text, problem) => {
    expect(problemsOf(text).join('\n')).toContain(problem)
  })
})

test.each([
  ["service: 'no'", 'no'],
  ['service: "on"', 'on'],
  ['service: y', 'y'],
  ['service: nobody', 'nobody'],
  ["'service': constructor", 'constructor'],
])('takes %s', (line, service) => {
  expect(parsePolicy(withLines(line)).service).toBe(service)
})

test.each(['\n', '\r\n'])('takes lines that end in %j', (end) => {
  expect(parsePolicy(withLines('service: a', 'zones: {}').replaceAll('\n', end)).service).toBe('a')
})

test('a name of an object is a name among others', () => {
  const text = withLines(
    'callers: { constructor: { is: [spiffe://td/a] }, toString: { is: [spiffe://td/b] } }',
    'zones: { hasOwnProperty: [constructor] }',
    'routes: [{ route: GET /, requires: { zones: [hasOwnProperty], callers: [toString] } }]',
  )
  expect(parsePolicy(text).zones.get('hasOwnProperty')).toEqual(new Set(['constructor']))
  expect(problemsOf(withLines('zones: { a: [valueOf] }'))).toHaveLength(1)
  expect(problemsOf(withLines('routes: [{ route: GET /, requires: { zones: [valueOf] } }]'))).toHaveLength(1)
})

describe('a document that would cost much is refused before it does', () => {
  const mebibyte = 1024 * 1024

  test.each([
    ['a million characters', `# ${'x'.repeat(mebibyte)}`, 'expected at most 1 MiB of text'],
    ['lists within lists', '['.repeat(mebibyte), 'nested more than 100 levels deep'],
    ['mappings within mappings', '{a: '.repeat(mebibyte / 4), 'nested more than 100 levels deep'],
    ['entries within entries', '- '.repeat(mebibyte / 2), 'nested more than 100 levels deep'],
    ['keys within keys', '? '.repeat(mebibyte / 2), 'nested more than 100 levels deep'],
    [
      'stairs',
      Array.from({ length: 1000 }, (_, i) => `${' '.repeat(i)}a:\n`).join(''),
      'nested more than 100 levels deep',
    ],
    [
      'many keys',
      Array.from({ length: 50_000 }, (_, i) => `k${i}: 1\n`).join(''),
      'more than 100000 words and marks',
    ],
    ['many marks', ']'.repeat(mebibyte), 'more than 100000 words and marks'],
    ['many empty lines', '\n'.repeat(mebibyte), 'more than 100000 words and marks'],
  ])('%s', (_, text, problem) => {
    expect(problemsOf(text).join('\n')).toContain(problem)
  })

  // Each line is all of the one before, ten times.
  test('a billion laughs', () => {
    const lines = [
      'a0: &a0 [x]',
      ...Array.from(
        { length: 9 },
        (_, i) => `a${i + 1}: &a${i + 1} [${Array(10).fill(`*a${i}`).join(', ')}]`,
      ),
    ]
    const problems = problemsOf(withLines(...lines))
    expect(problems.join('\n')).toContain('aliases are not supported')
    expect(problems).toHaveLength(20)
  })

  test('and one of a thousand callers is not', () => {
    const callers = Array.from(
      { length: 1000 },
      (_, i) => `  c${i}: { is: [spiffe://td/c${i}], grants: [a:read, b:read, c:read] }`,
    )
    expect(parsePolicy(withLines('callers:', ...callers)).callers).toHaveLength(1000)
  })
})
