// The page on requirements names each, shows each, and quotes what they really say.
import * as core from '@countersign/core'
import { testCaller } from '@countersign/testing'
import { expect, test } from 'vitest'
import { occasion } from '../core/support/occasion.ts'
import { codeBlocksOf, read, tableRowsBelow } from './documents.ts'

const page = read('docs/requirements.md')
const named = tableRowsBelow(`\n${page}`, '# Requirements').map(
  ([name = '']) => /^`(\w+)\(/.exec(name)?.[1] ?? name,
)
const blocks = codeBlocksOf('docs/requirements.md')

const { anyOf, allOf, callerIs, scopes, not, claim } = core
const auditor = callerIs('spiffe://prod.example/ns/audit/sa/reader')
const mayRead = anyOf(auditor, allOf(scopes('orders:read'), not(claim('suspended', true))))

test('lists every requirement that there is', () => {
  const made: readonly string[] = [
    'scopes',
    'anyScope',
    'userScopes',
    'callerIs',
    'callerIn',
    'claim',
    'authenticated',
    'provenBy',
    'freshWithin',
    'authenticatedWith',
    'allOf',
    'anyOf',
    'not',
  ]
  expect(named).toEqual(made)
  expect(made.filter((name) => !(name in core))).toEqual([])
})

test.each(named)('shows %s in a program', (name) => {
  const programs = blocks.filter(({ label }) => label === 'ts').map(({ code }) => code)
  expect(programs.filter((code) => code.includes(`${name}(`))).not.toEqual([])
})

test('quotes how a requirement reads, and what a refusal by it says', async () => {
  const caller = await testCaller({ service: 'cart' })
  const { expected, actual } = mayRead.check(caller, 0, occasion)?.detail ?? {}
  const texts = blocks.filter(({ label }) => label === 'text').map(({ code }) => code.trim())
  expect(texts[0]).toBe(mayRead.text)
  expect(texts[1]).toContain(`: expected ${expected}, got `)
  expect(actual).toBe('"https://issuer.test#client=cart"')
})
