// Kept the same in both dialects' folders, to the letter: a test compares them.
import {
  AllowUnprotected,
  CallerOptional,
  Controller,
  Get,
  RequireScopes,
  Unprotected,
} from '@countersign/decorators'
import { callerOf } from '@countersign/express'
import type { Request, Response } from 'express'

// TypeScript's own name for "any class", which a class that extends a parameter needs.
// oxlint-disable-next-line typescript/no-explicit-any
type AnyClass = abstract new (...args: any[]) => object

abstract class GenericStore<Item extends object> {
  abstract readonly items: readonly Item[]

  @Get('/find')
  @RequireScopes('items:read')
  find(_request: Request, response: Response): void {
    response.send('of the base class')
  }

  @Get('/search')
  @RequireScopes('items:search')
  search<Body extends string>(_request: Request<object, Body>, response: Response<Body | 'kept'>): void {
    response.send('kept')
  }
}

@Controller('/generic')
class Generic extends GenericStore<{ readonly id: string }> {
  readonly items = [{ id: '7' }]

  override find(_request: Request, response: Response): void {
    response.send('kept')
  }
}

@RequireScopes('levels:use')
abstract class Oldest {
  @Get('/leaf')
  @RequireScopes('levels:read')
  leaf(_request: Request, response: Response): void {
    response.send('of the base class')
  }

  @Get('/each')
  @RequireScopes('levels:oldest')
  each(_request: Request, response: Response): void {
    response.send('of the base class')
  }
}

class Silent extends Oldest {}

@RequireScopes('levels:middle')
class Middle extends Silent {
  @RequireScopes('levels:own')
  override each(_request: Request, response: Response): void {
    response.send('of the middle class')
  }
}

@Controller('/levels')
class Leaf extends Middle {
  override leaf(_request: Request, response: Response): void {
    response.send('kept')
  }

  override each(_request: Request, response: Response): void {
    response.send('kept')
  }
}

function audited<Base extends AnyClass>(base: Base) {
  @RequireScopes('audit:use')
  abstract class Audited extends base {
    @Get('/audit')
    @RequireScopes('audit:read')
    audit(_request: Request, response: Response): void {
      response.send('kept')
    }
  }
  return Audited
}

function exported<Base extends AnyClass>(base: Base) {
  abstract class Exported extends base {
    @Get('/export')
    @RequireScopes('export:read')
    export(_request: Request, response: Response): void {
      response.send('kept')
    }
  }
  return Exported
}

@Controller('/mixed')
class Mixed extends exported(audited(Object)) {}

@Controller('/mixed-again')
class MixedAgain extends audited(Mixed) {
  override export(_request: Request, response: Response): void {
    response.send('kept')
  }
}

class Copyable {
  @Get('/copied')
  @RequireScopes('copied:read')
  copied(_request: Request, response: Response): void {
    response.send('kept')
  }
}

/** The other way to mix in: the methods of a class are copied, as TypeScript's handbook shows it. */
@Controller('/copies')
@RequireScopes('copies:use')
class Copies {
  @Get('/own')
  own(_request: Request, response: Response): void {
    response.send('kept')
  }
}
Object.defineProperties(Copies.prototype, { copied: methodOf(Copyable.prototype, 'copied') })

@Controller('/bound')
class BoundInConstructor {
  readonly #answer = 'kept'

  constructor() {
    this.find = this.find.bind(this)
  }

  @Get()
  @RequireScopes('bound:read')
  find(_request: Request, response: Response): void {
    response.send(this.#answer)
  }
}

class Overridable {
  @Get('/field')
  @RequireScopes('overridable:read')
  field(_request: Request, response: Response): void {
    response.send('of the base class')
  }

  @Get('/accessor')
  @RequireScopes('overridable:read')
  accessor(_request: Request, response: Response): void {
    response.send('of the base class')
  }
}

@Controller('/overridden')
class Overridden extends Overridable {
  override field = (_request: Request, response: Response): void => {
    response.send('kept')
  }
}
// TypeScript refuses an accessor in the place of a method; JavaScript does not.
Object.defineProperty(Overridden.prototype, 'accessor', {
  get: () => (_request: Request, response: Response) => void response.send('kept'),
})

const hidden: unique symbol = Symbol('hidden')

class WithSymbol {
  @Get()
  @RequireScopes('symbol:read')
  [hidden](_request: Request, response: Response): void {
    response.send('of the base class')
  }
}

@Controller('/symbol')
class OverriddenSymbol extends WithSymbol {
  override [hidden](_request: Request, response: Response): void {
    response.send('kept')
  }
}

@Controller('/proxy')
@RequireScopes('proxy:use')
class Proxied {
  @Get()
  @RequireScopes('proxy:read')
  find(_request: Request, response: Response): void {
    response.send('of the target')
  }
}

/** Runs something else than the method that was decorated. */
const proxy = (): object =>
  new Proxy(new Proxied(), {
    get: (target, key, receiver) =>
      key === 'find'
        ? (_request: Request, response: Response) => void response.send('kept')
        : Reflect.get(target, key, receiver),
  })

@Controller('/missing')
class Missing extends Overridable {
  @Get('/own')
  own(_request: Request, response: Response): void {
    response.send('never')
  }
}

@Controller('/open')
@RequireScopes('open:use')
@AllowUnprotected()
class PartlyOpen {
  @Get('/live')
  @Unprotected('liveness probe, returns no data')
  live(request: Request, response: Response): void {
    response.send(callerOf(request)?.id ?? 'nobody')
  }

  @Get('/greeting')
  @CallerOptional('greets by name whom it knows')
  greeting(request: Request, response: Response): void {
    response.send(callerOf(request)?.id ?? 'nobody')
  }

  @Get('/closed')
  closed(_request: Request, response: Response): void {
    response.send('kept')
  }
}

/** Adds a floor, and allows again what its base class allows. */
@Controller('/open-again')
@RequireScopes('open:again')
@AllowUnprotected()
class OpenAgain extends PartlyOpen {
  override live(request: Request, response: Response): void {
    response.send(callerOf(request)?.id ?? 'nobody')
  }
}

class Unrequired {
  @Get('/live')
  live(_request: Request, response: Response): void {
    response.send('of the base class')
  }
}

/** Its base class requires nothing of the method, and it allows what it requires itself. */
@Controller('/open-override')
@RequireScopes('open:use')
@AllowUnprotected()
class OpenOverride extends Unrequired {
  @Unprotected('liveness probe, returns no data')
  override live(request: Request, response: Response): void {
    response.send(callerOf(request)?.id ?? 'nobody')
  }
}

function methodOf(prototype: object, name: string): PropertyDescriptor {
  const descriptor = Object.getOwnPropertyDescriptor(prototype, name)
  if (descriptor === undefined) throw new Error(`expected a method ${name}`)
  return descriptor
}

/** Instances of all controllers, anew. */
export const hierarchies = (): readonly object[] => [
  new Generic(),
  new Leaf(),
  new Mixed(),
  new MixedAgain(),
  new Copies(),
  new BoundInConstructor(),
  new Overridden(),
  new OverriddenSymbol(),
  proxy(),
  new Missing(),
  new PartlyOpen(),
  new OpenAgain(),
  new OpenOverride(),
]
