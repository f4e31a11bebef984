import { ConfigurationError } from '@countersign/core'

/** What asks for a caller must not run unguarded because a line was forgotten. */
export const noGuard = (what: string): ConfigurationError =>
  new ConfigurationError(
    'countersign',
    `no guard saw this request: put app.use(countersign({ … })) before ${what}`,
  )

export const twoGuards = (): ConfigurationError =>
  new ConfigurationError('countersign', 'two guards saw one request: mount one guard, or give both the same')
