import { testCaller } from '@countersign/testing'
import { expect, test } from 'vitest'

test('is a workload with the scopes of its token', async () => {
  const caller = await testCaller({ service: 'checkout', scopes: ['orders:read'] })
  expect(caller.id).toBe('https://issuer.test#client=checkout')
  expect(caller.service?.clientId).toBe('checkout')
  expect(caller.user).toBeUndefined()
  expect([...caller.scopes]).toEqual(['orders:read'])
  expect(caller.provenBy).toEqual(['token'])
})

test('is a user where one is named', async () => {
  const caller = await testCaller({ user: 'alice' })
  expect(caller.id).toBe('https://issuer.test#sub=alice')
  expect(caller.user?.subject).toBe('alice')
})

test('carries further claims', async () => {
  const caller = await testCaller({ audience: 'billing', claims: { tenant: 't1' } })
  expect(caller.claims).toMatchObject({ aud: 'billing', client_id: 'test-service', tenant: 't1' })
})

test('cannot be had for a token that no guard would accept', async () => {
  await expect(testCaller({ claims: { aud: undefined } })).rejects.toThrow('claim_missing')
  await expect(testCaller({ expiresIn: -600 })).rejects.toThrow('token_expired')
})
