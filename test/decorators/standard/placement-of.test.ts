// Kept the same in both dialects' folders, to the letter: a test compares them.
import { ConfigurationError } from '@countersign/core'
import { AllowUnprotected, RequireScopes, Unprotected, mount, placementOf } from '@countersign/decorators'
import { describe, expect, test } from 'vitest'

const hidden: unique symbol = Symbol('hidden')

@RequireScopes('orders:read')
@AllowUnprotected()
class Orders {
  @RequireScopes('orders:write')
  create(): void {}

  @RequireScopes('orders:find')
  [hidden](): void {}

  @Unprotected('probe')
  live(): void {}

  list(): void {}
}

class MoreOrders extends Orders {
  override create(): void {}
}

class Plain {
  find(): void {}
}

describe('who may call a method, for other frameworks', () => {
  test.each([
    [new Orders(), 'create', 'allOf(scopes(orders:read), scopes(orders:write))'],
    [new Orders(), hidden, 'allOf(scopes(orders:read), scopes(orders:find))'],
    [new Orders(), 'live', 'unprotected(probe)'],
    [new Orders(), 'list', 'scopes(orders:read)'],
    [new MoreOrders(), 'create', 'allOf(scopes(orders:read), scopes(orders:write))'],
    [new Plain(), 'find', undefined],
  ])('is what all classes and the method say: %o %s', (instance, method, text) => {
    expect(placementOf(instance, method)?.text).toBe(text)
  })

  test('takes an instance for one, whatever it says its constructor is', () => {
    const instance = Object.assign(new Orders(), { constructor: Plain })
    expect(placementOf(instance, 'list')?.text).toBe('scopes(orders:read)')
  })

  test('belongs to the name that it was said of', () => {
    class Renamed extends Plain {}
    const { create } = Object.getOwnPropertyDescriptors(Orders.prototype)
    Object.defineProperty(Renamed.prototype, 'find', create)
    expect(placementOf(new Renamed(), 'find')).toBeUndefined()
  })

  test('needs no @Controller and no verb', () => {
    expect(() => mount({}, new Orders())).toThrow("write @Controller('/path')")
    expect(placementOf(new Orders(), 'list')?.text).toBe('scopes(orders:read)')
  })

  test('holds the rules of mount', () => {
    @RequireScopes('orders:read')
    class Mixed {
      @Unprotected('probe')
      live(): void {}
    }
    expect(() => placementOf(new Mixed(), 'live')).toThrow(ConfigurationError)
    expect(() => placementOf(new Mixed(), 'live')).toThrow('`Mixed.live`: a class that requires')
  })

  test.each([
    ['a name that is no method', new Orders(), 'creat', '`Orders.creat`: expected the name of a method'],
    ['nothing', undefined, 'create', '`placementOf(…)`: expected an instance of a controller, got undefined'],
    ['a prototype', MoreOrders.prototype, 'create', 'expected an instance, got a prototype'],
  ])('refuses %s', (_case, instance, method, message) => {
    expect(() => Reflect.apply(placementOf, undefined, [instance, method])).toThrow(ConfigurationError)
    expect(() => Reflect.apply(placementOf, undefined, [instance, method])).toThrow(message)
  })

  test('is told once: a class cannot say more afterwards', () => {
    class Early {
      find(): void {}
    }
    expect(placementOf(new Early(), 'find')).toBeUndefined()
    expect(() => Reflect.apply(RequireScopes('orders:read'), undefined, [Early])).toThrow(
      'mounted before all its decorators had run',
    )
  })
})
