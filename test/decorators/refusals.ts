// What controllers must not say, the same in both dialects: each is refused before any route is placed.
import { ConfigurationError } from '@countersign/core'
import { countersign, createGuard } from '@countersign/express'
import { mount } from '@countersign/decorators'
import { createTestIssuer } from '@countersign/testing'
import express from 'express'
import { expect, test } from 'vitest'

/** A mistake, the option that the error names, and what it says. */
const mistakes = [
  ['a class without @Controller', 'Orders', "write @Controller('/path') above class Orders"],
  ['a controller without routes', 'Orders', "write a verb above one, such as @Get('/')"],
  [
    'a class with two @Controller',
    "@Controller('/other') Orders",
    'the class has two @Controller: leave one of them',
  ],
  ['a controller whose path lacks its slash', "@Controller('orders') Orders", 'write `/orders`'],
  ['a method whose path lacks its slash', /^@Get\('open'\) (Orders\.)?find$/, 'write `/open`'],
  ['a requirement of a method that is no route', 'Orders.find', 'no route, so this protects nothing'],
  ['a reason of a method that is no route', 'Orders.find', 'no route, so this protects nothing'],
  [
    'an unprotected method in a class that requires something',
    'Orders.find',
    'a class that requires scopes(orders:read) cannot have an unprotected method: move it to a controller of its own',
  ],
  [
    'a method with an optional caller in a class that requires something',
    'Orders.find',
    'cannot have an unprotected method',
  ],
  [
    'an unprotected method below a base class that requires something',
    'Orders.find',
    'a class that requires scopes(base:read) cannot have an unprotected method',
  ],
  [
    'an unprotected method that a subclass with a requirement inherits',
    'Orders.find',
    'a class that requires scopes(orders:read) cannot have an unprotected method',
  ],
  [
    'an unprotected override of a method below a base class that allows unprotected ones',
    'Orders.find',
    'an override cannot be unprotected where class Base requires scopes(base:read) of the method that it inherits',
  ],
  [
    'an unprotected override whose class another decorator hides',
    'Orders.find',
    'an override cannot be unprotected where class Base requires scopes(base:read)',
  ],
  [
    'an unprotected override below a class between that requires something',
    'Orders.find',
    'an override cannot be unprotected where class Middle requires scopes(middle:read)',
  ],
  [
    'a subclass that allows what its base class does not',
    'Orders.find',
    'write @AllowUnprotected() above class Base too',
  ],
  [
    'a subclass that requires something more and does not allow what its base class does',
    'Orders.find',
    'write @AllowUnprotected() above class Orders too',
  ],
  [
    'an unprotected method that requires a scope in a class that allows unprotected ones',
    'Orders.find',
    'says both unprotected(probe) and scopes(orders:write)',
  ],
  [
    'an unprotected method that a mixin copied below a floor',
    'Orders.find',
    'a class that requires scopes(orders:read) cannot have an unprotected method',
  ],
  [
    'an unprotected method that requires a scope',
    'Orders.find',
    'says both unprotected(probe) and scopes(orders:read)',
  ],
  [
    'an unprotected override of a method that requires a scope',
    'Orders.find',
    'says both unprotected(probe) and scopes(orders:read)',
  ],
  [
    'a method that is unprotected and has an optional caller',
    'Orders.find',
    /says both callerOptional\(greeting\) and unprotected\(probe\)/,
  ],
  ['a static method', /^@Get\('\/'\) find$/, 'got a static method, which has no instance'],
  ['a getter', /find$/, /expected a (public )?method/],
  ['a field', /find$/, 'got a field'],
  [
    'an arrow function in a field',
    /find$/,
    'got a field: write the route as a plain method, such as find(req, res) {}',
  ],
  ['@AllowUnprotected above a method', /^@AllowUnprotected\(\) (Orders\.)?find$/, 'stands above a class'],
  ['@Controller above a method', /^@Controller\('\/'\) (Orders\.)?find$/, 'above a method write a verb'],
  ['a verb above a class', "@Get('/') Orders", "above the class write @Controller('/path')"],
  ['@Unprotected above a class', '@Unprotected(…) Orders', 'say it at each'],
  ['@CallerOptional above a class', '@CallerOptional(…) Orders', 'say it at each'],
  ['a verb without its parentheses', '@Get', "write @Get() or @Get('/path')"],
  ['@Controller without its parentheses', '@Controller', "write @Controller() or @Controller('/path')"],
  ['@Unprotected without a reason', 'unprotected(reason)', 'say why'],
  ['@CallerOptional without a reason', 'callerOptional(reason)', 'say why'],
  ['@RequireScopes without a scope', 'scopes()', 'an empty one would allow everybody'],
  ['@RequireScopes with a wildcard', 'scopes(…)[0]', 'write `orders:read` instead of `orders:*`'],
  ['@Requires without a requirement', '@Requires(…)', 'expected a requirement'],
  ['@Requires with unprotected()', '@Requires(…)', "write @Unprotected('why') instead"],
  [
    '@Requires with a requirement of another copy of core',
    '@Requires(…)',
    'another copy of @countersign/core',
  ],
  [
    'a method that an instance has replaced by something else',
    'Orders.find',
    'expected a method, got a string',
  ],
  [
    'a controller that mounts itself before a method has said what it requires',
    /^@RequireScopes\(…\) (Orders\.)?find$/,
    'call mount(app, …) outside the class',
  ],
  [
    'a controller that mounts itself before its class has said what it requires',
    '@RequireScopes(…) Orders',
    'call mount(app, …) outside the class',
  ],
] as const satisfies readonly (readonly [name: string, option: string | RegExp, problem: string | RegExp])[]

/** Makes the mistake and gives the instance to mount, where it comes to that. */
type MakesMistake = (mountNow: (instance: object) => void) => object

/** One for every mistake. */
export type Mistakes = Readonly<Record<(typeof mistakes)[number][0], MakesMistake>>

/** Runs all mistakes of one dialect. */
export async function testMistakes(make: Mistakes): Promise<void> {
  const issuer = await createTestIssuer()
  const guard = createGuard({ audience: 'orders', issuers: [issuer], log: false })

  test.each(mistakes)('refuses %s', (name, option, problem) => {
    const app = express()
    app.use(countersign(guard))
    const error = thrownBy(() =>
      mount(
        app,
        make[name]((instance) => mount(app, instance)),
      ),
    )
    expect(error).toBeInstanceOf(ConfigurationError)
    expect(error).toMatchObject({
      code: 'configuration_invalid',
      option: typeof option === 'string' ? option : expect.stringMatching(option),
      message:
        typeof problem === 'string' ? expect.stringContaining(problem) : expect.stringMatching(problem),
    })
  })
}

function thrownBy(action: () => void): unknown {
  try {
    action()
  } catch (error) {
    return error
  }
  return undefined
}
