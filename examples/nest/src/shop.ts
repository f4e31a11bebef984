import { CallerOptional, Unprotected, callerOf } from '@countersign/nest'
import { Controller, Get, Req } from '@nestjs/common'

/** What everybody may ask. */
@Controller()
export class Shop {
  @Get('healthz')
  @Unprotected('liveness probe, returns no data')
  live(): string {
    return 'ok'
  }

  @Get('prices')
  @CallerOptional('known callers get their own prices')
  prices(@Req() request: object): object {
    return { lamp: callerOf(request) === undefined ? 40 : 35 }
  }
}
