// Stands in for `options/parse-options.ts` where the threats are tried a second time: every guard checks signatures by WebCrypto.
import {
  parseOptions as parse,
  type Environment,
  type ParsedOptions,
} from '../../../packages/core/src/options/parse-options.ts'
import type { GuardOptions } from '@countersign/core'

export const parseOptions = (options: GuardOptions, environment: Environment): ParsedOptions =>
  parse({ ...options, signatures: 'webcrypto' }, environment)
