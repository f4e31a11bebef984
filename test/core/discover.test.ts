// Which of the places that metadata names is taken, where servers keep others for clients with certificates (RFC 8705 §5).
import { expect, test } from 'vitest'
import { discover, type Discovery } from '../../packages/core/src/identity/trust/discover.ts'
import { jsonDocument } from './support/network.ts'

const issuer = 'https://idp.test'
const usual = `${issuer}/introspect`
const mutual = 'https://mtls.idp.test/introspect'

const found = async (aliases: unknown, more: Partial<Discovery> = {}): Promise<string> => {
  const metadata = { issuer, introspection_endpoint: usual, mtls_endpoint_aliases: aliases }
  const question = {
    issuer,
    url: undefined,
    mayUse: () => true,
    member: 'introspection_endpoint',
    ...more,
  } as const
  const { href } = await discover(question, async () => jsonDocument(metadata))
  return href
}

const aliases = { introspection_endpoint: mutual }

test('the alias is for those who authenticate by certificate', async () => {
  expect(await found(aliases, { isMutualTls: true })).toBe(mutual)
})

test.each([{}, { isMutualTls: false }])('the alias is not for others: %j', async (more) => {
  expect(await found(aliases, more)).toBe(usual)
})

test.each([undefined, null, 'introspection_endpoint', [mutual], {}])(
  'where aliases are %j, there is one place for all',
  async (none) => {
    expect(await found(none, { isMutualTls: true })).toBe(usual)
  },
)

test.each([mutual.replace('https', 'http'), 'https://user@mtls.idp.test/introspect', 7])(
  'the alias %j is held to the same rules',
  async (alias) => {
    const mayUse = ({ protocol }: URL): boolean => protocol === 'https:'
    await expect(found({ introspection_endpoint: alias }, { isMutualTls: true, mayUse })).rejects.toThrow(
      /`introspection_endpoint`/,
    )
  },
)
