// Kept the same in both dialects' folders, to the letter: a test compares them. What differs is in `theirs.ts`.
import {
  All,
  CallerOptional,
  Controller,
  Delete,
  Get,
  Head,
  Options,
  Patch,
  Post,
  Put,
  RequireScopes,
  Requires,
  Unprotected,
} from '@countersign/decorators'
import { callerIs, callerOf } from '@countersign/express'
import type { NextFunction, Request, Response } from 'express'
import { bound, extended, logged, proxied } from './theirs.ts'

@Controller('/orders')
@RequireScopes('orders:read')
class Orders {
  readonly #shop: string

  constructor(shop: string) {
    this.#shop = shop
  }

  @Get('/:id')
  find(request: Request, response: Response): void {
    response.send(`${this.#shop} ${String(request.params['id'])} ${request.caller.id}`)
  }

  @Post()
  @RequireScopes('orders:write')
  create(_request: Request, response: Response): void {
    response.send(this.#shop)
  }

  @Delete('/:id')
  @RequireScopes('orders:write')
  @Requires(callerIs('https://issuer.test#client=backoffice'))
  async remove(_request: Request, response: Response): Promise<void> {
    response.send(this.#shop)
  }
}

/** Each name is the verb it answers. */
@Controller('/verbs/')
class Verbs {
  @Get()
  @RequireScopes('verbs:get')
  get(_request: Request, response: Response): void {
    response.send('get')
  }

  @Post()
  @RequireScopes('verbs:post')
  post(_request: Request, response: Response): void {
    response.send('post')
  }

  @Put()
  @RequireScopes('verbs:put')
  put(_request: Request, response: Response): void {
    response.send('put')
  }

  @Patch()
  @RequireScopes('verbs:patch')
  patch(_request: Request, response: Response): void {
    response.send('patch')
  }

  @Delete()
  @RequireScopes('verbs:delete')
  delete(_request: Request, response: Response): void {
    response.send('delete')
  }

  @Head()
  @RequireScopes('verbs:head')
  head(_request: Request, response: Response): void {
    response.send('head')
  }

  @Options()
  @RequireScopes('verbs:options')
  options(_request: Request, response: Response): void {
    response.send('options')
  }

  @All('/all')
  @RequireScopes('verbs:all')
  all(request: Request, response: Response): void {
    response.send(request.method.toLowerCase())
  }

  @Get('/one')
  @Put('/other')
  @RequireScopes('verbs:both')
  both(request: Request, response: Response): void {
    response.send(request.path)
  }
}

@RequireScopes('reports:read')
abstract class Resource {
  @Get('/kept')
  @RequireScopes('reports:kept')
  kept(_request: Request, response: Response): void {
    response.send('of the base class')
  }

  @Get('/overridden')
  @RequireScopes('reports:overridden')
  overridden(_request: Request, response: Response): void {
    response.send('of the base class')
  }

  @Get('/added')
  @RequireScopes('reports:base')
  added(_request: Request, response: Response): void {
    response.send('of the base class')
  }

  @RequireScopes('reports:template')
  template(_request: Request, response: Response): void {
    response.send('of the base class')
  }
}

@Controller('/reports')
class Reports extends Resource {
  override overridden(_request: Request, response: Response): void {
    response.send('of the subclass')
  }

  @Get('/added')
  @Get('/more')
  @RequireScopes('reports:own')
  override added(_request: Request, response: Response): void {
    response.send('of the subclass')
  }

  @Get('/template')
  override template(_request: Request, response: Response): void {
    response.send('of the subclass')
  }
}

@Controller('/private-reports')
@RequireScopes('reports:private')
class PrivateReports extends Reports {}

@Controller('/probes')
class Probes {
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

  @Get('/undeclared')
  undeclared(_request: Request, response: Response): void {
    response.send('never')
  }
}

const hidden: unique symbol = Symbol('hidden')

@Controller('/wrapped')
class WrappedMethods {
  readonly #answer = 'kept'

  @Get('/outside')
  @RequireScopes('wrapped:read')
  @logged
  outside(_request: Request, response: Response): void {
    response.send(this.#answer)
  }

  @Get('/between')
  @logged
  @RequireScopes('wrapped:read')
  between(_request: Request, response: Response): void {
    response.send(this.#answer)
  }

  @logged
  @RequireScopes('wrapped:read')
  @logged
  @Get('/inside')
  inside(_request: Request, response: Response): void {
    response.send(this.#answer)
  }

  @Get('/bound')
  @bound
  @RequireScopes('wrapped:read')
  bound(_request: Request, response: Response): void {
    response.send(this.#answer)
  }

  @Get('/symbol')
  @RequireScopes('wrapped:read')
  [hidden](_request: Request, response: Response): void {
    response.send(this.#answer)
  }
}

@Controller('/extended-outside')
@RequireScopes('wrapped:read')
@extended
class ExtendedOutside {
  @Get()
  find(_request: Request, response: Response): void {
    response.send('kept')
  }
}

@Controller('/extended-between')
@extended
@RequireScopes('wrapped:read')
class ExtendedBetween {
  @Get()
  find(_request: Request, response: Response): void {
    response.send('kept')
  }
}

@RequireScopes('wrapped:read')
@extended
@Controller('/extended-inside')
class ExtendedInside {
  @Get()
  find(_request: Request, response: Response): void {
    response.send('kept')
  }
}

@RequireScopes('wrapped:read')
@proxied
@Controller('/proxied')
class Proxied {
  @Get()
  find(_request: Request, response: Response): void {
    response.send('kept')
  }
}

class HandsOutProxy {
  constructor() {
    return new Proxy(this, {})
  }

  @Get()
  @RequireScopes('wrapped:read')
  find(_request: Request, response: Response): void {
    response.send('kept')
  }
}

@Controller('/instance-proxy')
class InstanceProxy extends HandsOutProxy {
  override find(_request: Request, response: Response): void {
    response.send('kept')
  }

  @Get('/own')
  @RequireScopes('wrapped:read')
  own(_request: Request, response: Response): void {
    response.send('kept')
  }
}

@Controller('/failing')
@RequireScopes('failing:call')
class Failing {
  @Get('/thrown')
  thrown(): void {
    throw new Error('thrown')
  }

  @Get('/rejected')
  async rejected(): Promise<void> {
    await Promise.resolve()
    throw new Error('rejected')
  }

  @Get('/nothing')
  nothing(): Promise<void> {
    return Promise.reject(undefined)
  }

  @Get('/route')
  route(): Promise<void> {
    return Promise.reject('route')
  }

  @Get('/passed-on')
  async passedOn(_request: Request, _response: Response, next: NextFunction): Promise<void> {
    await Promise.resolve()
    next(new Error('passed on'))
  }
}

/** Instances of all controllers, anew. */
export const controllers = (): readonly object[] => [
  new Orders('corner shop'),
  new Verbs(),
  new Reports(),
  new PrivateReports(),
  new Probes(),
  new WrappedMethods(),
  new ExtendedOutside(),
  new ExtendedBetween(),
  new ExtendedInside(),
  new Proxied(),
  new InstanceProxy(),
  new Failing(),
]
