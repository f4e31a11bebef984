// Kept the same in both dialects' folders, to the letter: a test compares them.
import { ConfigurationError } from '@countersign/core'
import { Controller, Get, mount } from '@countersign/decorators'
import { expect, test, vi } from 'vitest'

vi.resetModules()
const other = await import('@countersign/decorators')

class Base {
  @Get()
  find(): void {}
}

test('refuses a class whose floor was said by another copy of this package', () => {
  @other.RequireScopes('orders:read')
  class Floor extends Base {}

  @Controller()
  class Orders extends Floor {}
  expect(() => mount({}, new Orders())).toThrow(ConfigurationError)
  expect(() => mount({}, new Orders())).toThrow(
    /`Floor`: decorated by another copy of @countersign\/decorators/,
  )
})

test('refuses a method that two copies of this package speak of', () => {
  expect(() => {
    @Controller()
    class Orders extends Base {
      @other.RequireScopes('orders:read')
      override find(): void {}
    }
    return new Orders()
  }).toThrow(/another copy of @countersign\/decorators/)
})
