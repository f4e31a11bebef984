import { ConfigurationError } from '@countersign/core'
import { AllowUnprotected, RequireScopes, Unprotected, placementOf } from '@countersign/decorators'
import { expect, test } from 'vitest'

@RequireScopes('orders:read')
@AllowUnprotected()
class Base {
  @RequireScopes('orders:write')
  create(): void {}

  list(): void {}
}

class Orders extends Base {
  override create(): void {}
}

test('tells of a method by its class, before there is an instance', () => {
  expect(placementOf(Orders, 'create')?.text).toBe('allOf(scopes(orders:read), scopes(orders:write))')
  expect(placementOf(Orders, 'list')?.text).toBe('scopes(orders:read)')
  expect(() => placementOf(Orders, 'creat')).toThrow('`Orders.creat`: expected the name of a method')
})

test('refuses a class whose place was taken by something that its instances do not inherit from', () => {
  const disguised = (value: new () => object): unknown =>
    Object.defineProperty(value.bind(undefined), 'prototype', { value: {} })
  class Plain {
    list(): void {}
  }
  const decorate = () => Reflect.apply(RequireScopes('orders:read'), undefined, [disguised(Plain)])
  expect(decorate).toThrow('must return a class that extends it')
})

test('refuses a decorator that is called by hand for a method that the class only inherits', () => {
  class Late extends Base {}
  const { list } = Object.getOwnPropertyDescriptors(Base.prototype)
  expect(() => Unprotected('probe')(Late.prototype, 'list', list)).toThrow(ConfigurationError)
  expect(() => Unprotected('probe')(Late.prototype, 'list', list)).toThrow(
    'got one that the class only inherits',
  )
})
