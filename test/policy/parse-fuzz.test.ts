// Whatever a document is: it is read or refused, by an error of its own kind, and what is read the schema allows.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parsePolicy } from '@countersign/policy'
import { problemsOf, whole } from './document.ts'
import { schemaProblemsOf } from './schema.ts'

const pieces = [
  ...[...whole.matchAll(/[\w:/.@*-]+|[[\]{},'"\n#&!|>%`]| +/g)].map(([piece]) => piece),
  '*a',
  '&a ',
  '!!str ',
  '? ',
  '- ',
  ': ',
  '\t',
  '\r',
  '\uFEFF',
  '\0',
  '---\n',
  '...\n',
  '<<',
  '__proto__',
  '|\n',
  '>-\n',
  '\\u0000',
  '1e999',
  '~',
]
const piece = fc.constantFrom(...pieces)

const mutated = fc
  .array(fc.record({ at: fc.nat(whole.length), cut: fc.nat(12), put: fc.array(piece, { maxLength: 3 }) }), {
    minLength: 1,
    maxLength: 4,
  })
  .map((cuts) =>
    cuts.reduce((text, { at, cut, put }) => text.slice(0, at) + put.join('') + text.slice(at + cut), whole),
  )

/** Throws for any error that is not the parser's own. */
function isRead(text: string): boolean {
  const problems = problemsOf(text)
  for (const problem of problems) expect(problem).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
  return problems.length === 0
}

test('any text is read or refused', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => void isRead(text)))
})

test('any pieces of documents are read or refused', () => {
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60 }), (found) => void isRead(found.join(''))),
    { numRuns: 500 },
  )
})

test('a document that somebody mistyped is read or refused; what is read, the schema allows', () => {
  fc.assert(
    fc.property(mutated, (text) => {
      if (isRead(text)) expect(schemaProblemsOf(text)).toEqual([])
    }),
    { numRuns: 500 },
  )
})

test('data of any shape under known keys is read or refused; what is read, the schema allows', () => {
  const keys = [...new Set([...whole.matchAll(/(\w+):/g)].map(([, key = '']) => key)), 'candidate', 'version']
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 5 },
      fc.constantFrom(
        1,
        true,
        null,
        'a',
        'orders:read',
        'spiffe://td/a',
        '2027-01-31',
        'GET /',
        'enforce',
        'caller.id == "a"',
      ),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom(...keys, 'a', '__proto__'), tie('value'), { maxKeys: 4 }),
    ),
  }))
  const document = fc.dictionary(fc.constantFrom(...keys), value, { maxKeys: 6 })
  fc.assert(
    fc.property(document, (data) => {
      const text = JSON.stringify({ ...data, version: 1 })
      if (isRead(text)) expect(schemaProblemsOf(text)).toEqual([])
    }),
    { numRuns: 500 },
  )
})

test('a document means the same in YAML and in JSON', () => {
  const names = fc.constantFrom('a', 'b-c', 'd.e')
  const scope = fc.constantFrom('orders:read', 'orders:*', 'urn:x', 'a:b:c')
  const callers = fc.dictionary(names, fc.array(scope, { maxLength: 4 }))
  fc.assert(
    fc.property(callers, (granted) => {
      const entries = Object.entries(granted)
      const json = JSON.stringify({
        version: 1,
        callers: Object.fromEntries(
          entries.map(([name, grants]) => [name, { is: [`spiffe://td/${name}`], grants }]),
        ),
      })
      const yaml = [
        'version: 1',
        'callers:',
        ...entries.flatMap(([name, grants]) => [
          `  ${name}:`,
          '    is:',
          `    - spiffe://td/${name}`,
          '    grants:',
          ...(grants.length === 0 ? ['      []'] : grants.map((each) => `    - ${each}`)),
        ]),
        ...(entries.length === 0 ? ['  {}'] : []),
      ].join('\n')
      const said = (text: string) =>
        parsePolicy(text).callers.map(({ name, is, grants }) => [
          name,
          is.map((id) => id.text),
          grants.map((grant) => grant.scope),
        ])
      expect(said(yaml)).toEqual(said(json))
    }),
  )
})
