// Tokens under fuzz: what a guard says of one, and what jose would have said.
import { authenticated, createGuard, type Decision, type IssuerOptions } from '@countersign/core'
import { requestWith } from '../core/support/asking.ts'
import { createIssuers } from './issuers.ts'
import type { Original } from './original.ts'
import type { Subject, Verdict } from './subject.ts'
import { createTokenOracle } from './token-oracle.ts'

const now = Date.parse('2030-01-01T00:00:00Z')

/** All kinds of tokens, held against a guard that trusts all of their issuers. */
export function createTokenSubject(hasMlDsa: boolean): Subject {
  const issuers = createIssuers(now / 1000, hasMlDsa)
  const guard = createGuard(
    {
      audience: 'orders',
      issuers: issuers.map(({ options }) => options) as [IssuerOptions, ...IssuerOptions[]], // there are some
      // What was verified is hardly remembered, so that every mutant goes the whole way.
      cache: { maxEntries: 1 },
      log: false,
    },
    { clock: { now: () => now } },
  )
  const oracle = createTokenOracle({
    issuers: issuers.map(({ rules }) => rules),
    audience: 'orders',
    now: new Date(now),
    toleranceSeconds: 30,
    maxLifetimeSeconds: 86_400,
  })
  const requirement = authenticated()
  return {
    originals: issuers.flatMap(({ originals }): readonly Original[] => originals),
    decide: async (text) => verdictOf(await guard.decide(requestWith(`Bearer ${text}`), requirement)),
    // RFC 9110 §11.4: any number of spaces may stand between scheme and token.
    oracle: (text) => oracle(text.replace(/^ +/, '')),
  }
}

export const verdictOf = (decision: Decision): Verdict =>
  decision.outcome === 'allow'
    ? { code: 'allow', claims: decision.caller?.claims }
    : { code: decision.refusal.code }
