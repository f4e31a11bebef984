// Kept the same in both dialects' folders, to the letter: a test compares them. Where the types refuse a mistake
// already, a comment says so, and the compiler checks the comment.
import {
  AllowUnprotected,
  CallerOptional,
  Controller,
  Get,
  RequireScopes,
  Requires,
  Unprotected,
} from '@countersign/decorators'
import { unprotected } from '@countersign/core'
import type { Mistakes } from '../refusals.ts'
import { logged } from './theirs.ts'

export const make: Mistakes = {
  'a class without @Controller': () => {
    @RequireScopes('orders:read')
    class Orders {
      @Get()
      find(): void {}
    }
    return new Orders()
  },
  'a controller without routes': () => {
    @Controller()
    @RequireScopes('orders:read')
    class Orders {
      find(): void {}
    }
    return new Orders()
  },
  'a class with two @Controller': () => {
    @Controller('/other')
    @Controller('/orders')
    class Orders {
      @Get()
      find(): void {}
    }
    return new Orders()
  },
  'a controller whose path lacks its slash': () => {
    // @ts-expect-error -- a path starts with a slash
    @Controller('orders')
    class Orders {
      @Get()
      find(): void {}
    }
    return new Orders()
  },
  'a method whose path lacks its slash': () => {
    @Controller()
    class Orders {
      // @ts-expect-error -- a path starts with a slash
      @Get('open')
      find(): void {}
    }
    return new Orders()
  },
  'a requirement of a method that is no route': () => {
    @Controller()
    class Orders {
      @Get()
      list(): void {}

      @RequireScopes('orders:read')
      find(): void {}
    }
    return new Orders()
  },
  'a reason of a method that is no route': () => {
    @Controller()
    class Orders {
      @Get()
      list(): void {}

      @Unprotected('probe')
      find(): void {}
    }
    return new Orders()
  },
  'an unprotected method in a class that requires something': () => {
    @Controller()
    @RequireScopes('orders:read')
    class Orders {
      @Get()
      @Unprotected('probe')
      find(): void {}
    }
    return new Orders()
  },
  'a method with an optional caller in a class that requires something': () => {
    @Controller()
    @RequireScopes('orders:read')
    class Orders {
      @Get()
      @CallerOptional('greeting')
      find(): void {}
    }
    return new Orders()
  },
  'an unprotected method below a base class that requires something': () => {
    @RequireScopes('base:read')
    class Base {
      list(): void {}
    }

    @Controller()
    class Orders extends Base {
      @Get()
      @Unprotected('probe')
      find(): void {}
    }
    return new Orders()
  },
  'an unprotected method that a subclass with a requirement inherits': () => {
    class Base {
      @Get()
      @Unprotected('probe')
      find(): void {}
    }

    @Controller()
    @RequireScopes('orders:read')
    class Orders extends Base {}
    return new Orders()
  },
  'an unprotected override of a method below a base class that allows unprotected ones': () => {
    @RequireScopes('base:read')
    @AllowUnprotected()
    class Base {
      @Get()
      find(): void {}
    }

    @Controller()
    @AllowUnprotected()
    class Orders extends Base {
      @Unprotected('probe')
      override find(): void {}
    }
    return new Orders()
  },
  'an unprotected override whose class another decorator hides': () => {
    @RequireScopes('base:read')
    @AllowUnprotected()
    class Base {
      find(): void {}
    }

    @Controller()
    class Orders extends Base {
      @logged
      @Get()
      @Unprotected('probe')
      override find(): void {}
    }
    return new Orders()
  },
  'an unprotected override below a class between that requires something': () => {
    class Base {
      @Get()
      find(): void {}
    }

    @RequireScopes('middle:read')
    @AllowUnprotected()
    class Middle extends Base {}

    @Controller()
    class Orders extends Middle {
      @Unprotected('probe')
      override find(): void {}
    }
    return new Orders()
  },
  'a subclass that allows what its base class does not': () => {
    @RequireScopes('base:read')
    class Base {
      @Get()
      find(): void {}
    }

    @Controller()
    @AllowUnprotected()
    class Orders extends Base {
      @Unprotected('probe')
      override find(): void {}
    }
    return new Orders()
  },
  'a subclass that requires something more and does not allow what its base class does': () => {
    @RequireScopes('base:read')
    @AllowUnprotected()
    class Base {
      @Get()
      @Unprotected('probe')
      find(): void {}
    }

    @Controller()
    @RequireScopes('orders:read')
    class Orders extends Base {}
    return new Orders()
  },
  'an unprotected method that requires a scope in a class that allows unprotected ones': () => {
    @Controller()
    @RequireScopes('orders:read')
    @AllowUnprotected()
    class Orders {
      @Get()
      @Unprotected('probe')
      @RequireScopes('orders:write')
      find(): void {}
    }
    return new Orders()
  },
  'an unprotected method that a mixin copied below a floor': () => {
    class Copyable {
      @Get()
      @Unprotected('probe')
      find(): void {}
    }

    @Controller()
    @RequireScopes('orders:read')
    class Orders {
      list(): void {}
    }
    const { find } = Object.getOwnPropertyDescriptors(Copyable.prototype)
    Object.defineProperty(Orders.prototype, 'find', find)
    return new Orders()
  },
  'an unprotected method that requires a scope': () => {
    @Controller()
    class Orders {
      @Get()
      @Unprotected('probe')
      @RequireScopes('orders:read')
      find(): void {}
    }
    return new Orders()
  },
  'an unprotected override of a method that requires a scope': () => {
    class Base {
      @Get()
      @RequireScopes('orders:read')
      find(): void {}
    }

    @Controller()
    class Orders extends Base {
      @Unprotected('probe')
      override find(): void {}
    }
    return new Orders()
  },
  'a method that is unprotected and has an optional caller': () => {
    @Controller()
    class Orders {
      @Get()
      @Unprotected('probe')
      @CallerOptional('greeting')
      find(): void {}
    }
    return new Orders()
  },
  'a static method': () => {
    @Controller()
    class Orders {
      // @ts-expect-error -- a static method has no instance
      @Get()
      static find(): void {}

      list(): void {}
    }
    return new Orders()
  },
  'a getter': () => {
    @Controller()
    class Orders {
      // @ts-expect-error -- no method
      @Get()
      get find(): string {
        return 'a string'
      }
    }
    return new Orders()
  },
  'a field': () => {
    @Controller()
    class Orders {
      // @ts-expect-error -- no method
      @Get()
      find = 'a string'
    }
    return new Orders()
  },
  'an arrow function in a field': () => {
    @Controller()
    class Orders {
      // @ts-expect-error -- no method
      @Get()
      find = (): void => {}
    }
    return new Orders()
  },
  '@AllowUnprotected above a method': () => {
    class Orders {
      // @ts-expect-error -- for classes
      @AllowUnprotected()
      find(): void {}
    }
    return new Orders()
  },
  '@Controller above a method': () => {
    class Orders {
      // @ts-expect-error -- for classes
      @Controller()
      find(): void {}
    }
    return new Orders()
  },
  'a verb above a class': () => {
    // @ts-expect-error -- for methods
    @Get()
    class Orders {
      list(): void {}
    }
    return new Orders()
  },
  '@Unprotected above a class': () => {
    // @ts-expect-error -- for methods
    @Unprotected('probe')
    class Orders {
      list(): void {}
    }
    return new Orders()
  },
  '@CallerOptional above a class': () => {
    // @ts-expect-error -- for methods
    @CallerOptional('greeting')
    class Orders {
      list(): void {}
    }
    return new Orders()
  },
  'a verb without its parentheses': () => {
    class Orders {
      // @ts-expect-error -- it is given the method in place of a path
      @Get
      find(): void {}
    }
    return new Orders()
  },
  '@Controller without its parentheses': () => {
    // @ts-expect-error -- it is given the class in place of a path
    @Controller
    class Orders {
      list(): void {}
    }
    return new Orders()
  },
  '@Unprotected without a reason': () => {
    class Orders {
      @Get()
      // @ts-expect-error -- the reason is missing
      @Unprotected()
      find(): void {}
    }
    return new Orders()
  },
  '@CallerOptional without a reason': () => {
    class Orders {
      @Get()
      // @ts-expect-error -- the reason is missing
      @CallerOptional()
      find(): void {}
    }
    return new Orders()
  },
  '@RequireScopes without a scope': () => {
    class Orders {
      @Get()
      // @ts-expect-error -- it would allow everybody
      @RequireScopes()
      find(): void {}
    }
    return new Orders()
  },
  '@RequireScopes with a wildcard': () => {
    class Orders {
      @Get()
      @RequireScopes('orders:*')
      find(): void {}
    }
    return new Orders()
  },
  '@Requires without a requirement': () => {
    class Orders {
      @Get()
      // @ts-expect-error -- a scope is no requirement
      @Requires('orders:read')
      find(): void {}
    }
    return new Orders()
  },
  '@Requires with unprotected()': () => {
    class Orders {
      @Get()
      // @ts-expect-error -- no requirement
      @Requires(unprotected('probe'))
      find(): void {}
    }
    return new Orders()
  },
  '@Requires with a requirement of another copy of core': () => {
    const foreign = { [Symbol.for('countersign.copy')]: '9.9.9 elsewhere' }
    class Orders {
      @Get()
      // @ts-expect-error -- not made by this copy
      @Requires(foreign)
      find(): void {}
    }
    return new Orders()
  },
  'a method that an instance has replaced by something else': () => {
    @Controller()
    class Orders {
      @Get()
      find(): void {}
    }
    return Object.assign(new Orders(), { find: 'a string' })
  },
  'a controller that mounts itself before a method has said what it requires': (mountNow) => {
    @Controller()
    class Base {
      constructor() {
        mountNow(this)
      }

      @Get()
      find(): void {}
    }

    class Orders extends Base {
      static readonly instance = new Orders()

      @RequireScopes('orders:read')
      override find(): void {}
    }
    return Orders.instance
  },
  'a controller that mounts itself before its class has said what it requires': (mountNow) => {
    @Controller()
    class Base {
      @Get()
      find(): void {}
    }

    @RequireScopes('orders:read')
    class Orders extends Base {
      static {
        mountNow(new Orders())
      }
    }
    return new Orders()
  },
}
