// Whether the threats are tried as this project says: without it, the second time would be the same as the first.
import { authenticated } from '@countersign/core'
import { expect, test } from 'vitest'
import { codeFor, requestWith } from '../core/support/asking.ts'
import { createHouse } from '../core/support/house.ts'

test('guards check signatures by WebCrypto here, which never answers at once', async () => {
  const { guard, token } = createHouse()
  // The first makes the key ready.
  expect(await codeFor(guard, token())).toBe('allow')
  const decision = guard.decide(requestWith(`Bearer ${token()}`), authenticated())
  expect(decision).toBeInstanceOf(Promise)
  expect(await decision).toMatchObject({ outcome: 'allow' })
})
