import { ConfigurationError } from '../../configuration-error.ts'
import type { IssuerOptions } from '../issuer-options.ts'
import { requireKnownKeys } from '../option-values.ts'

export interface GoogleOptions {
  /** Unique ids of the service accounts that may call: numbers, as in `sub`. Default: only those whom `grants` names. */
  readonly subjects?: readonly [string, ...string[]]
}

/**
 * Google's ID tokens of service accounts: `google({ subjects: ['112233445566778899001'] })`.
 *
 * Google signs these for everybody on Earth, for any audience that is asked for. So signature and audience say nothing about
 * who may call: that is for `subjects`, or for `grants`. Accounts are named by number, since the number of a deleted
 * account is never given to another, as its e-mail address may be. The tokens carry no scopes.
 */
export function google(options: GoogleOptions = {}): IssuerOptions {
  requireKnownKeys(options, 'google', ['subjects'])
  return {
    issuer: 'https://accounts.google.com',
    profile: 'id-token',
    represents: 'workload',
    subjects: options.subjects === undefined ? 'granted' : requireUniqueIds(options.subjects),
  }
}

function requireUniqueIds(subjects: readonly [string, ...string[]]): readonly [string, ...string[]] {
  if (Array.isArray(subjects) && subjects.length > 0 && subjects.every(isUniqueId)) return subjects
  throw new ConfigurationError(
    'google.subjects',
    "expected unique ids of service accounts, such as ['112233445566778899001']: `gcloud iam service-accounts describe " +
      "EMAIL --format='value(uniqueId)'` tells one",
  )
}

const isUniqueId = (subject: unknown): boolean => typeof subject === 'string' && /^\d{1,30}$/.test(subject)
