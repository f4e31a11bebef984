// A controller that notes what ran.
import { Caller, RequireScopes, Unprotected, callerOf, decisionOf } from '@countersign/nest'
import {
  Controller,
  Get,
  Injectable,
  Param,
  Post,
  Req,
  UseInterceptors,
  UsePipes,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
  type PipeTransform,
} from '@nestjs/common'
import type { Observable } from 'rxjs'

export const ran: string[] = []

@Injectable()
class Noting implements NestInterceptor, PipeTransform {
  intercept(execution: ExecutionContext, next: CallHandler): Observable<unknown> {
    ran.push(`interceptor, for ${callerOf(execution)?.id}`)
    return next.handle()
  }

  transform(value: unknown): unknown {
    ran.push('pipe')
    return value
  }
}

@Controller('orders')
@UseInterceptors(Noting)
@UsePipes(Noting)
export class Orders {
  @Get('health')
  @Unprotected('liveness probe')
  health(): string {
    return 'ok'
  }

  @Get('nobody')
  @Unprotected('has no caller')
  nobody(@Caller() caller: Caller): string {
    return caller.id
  }

  @Get('silent')
  silent(): string {
    ran.push('silent')
    return 'secret'
  }

  @Get('fails')
  @RequireScopes('orders:read')
  fails(): string {
    throw new Error('a mistake of the application')
  }

  @Get(':id')
  @RequireScopes('orders:read')
  find(@Param('id') id: string, @Caller() caller: Caller, @Req() request: object): object {
    ran.push('find')
    return { id, caller: caller.id, decided: decisionOf(request)?.outcome, again: callerOf(request)?.id }
  }

  @Post()
  @RequireScopes('orders:write')
  create(): string {
    return 'created'
  }
}
