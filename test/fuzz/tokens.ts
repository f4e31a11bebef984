// Tokens under fuzz: what a guard says of one, and what jose would have said.
import { authenticated, createGuard, type Decision, type Guard, type IssuerOptions } from '@countersign/core'
import { requestWith } from '../core/support/asking.ts'
import { createIssuers } from './issuers.ts'
import type { Original } from './original.ts'
import type { Subject, Verdict } from './subject.ts'
import { createTokenOracle } from './token-oracle.ts'

const now = Date.parse('2030-01-01T00:00:00Z')

export interface TokenSubject extends Subject {
  /** At once where the guard has decided at once. */
  decide(text: string, original: Original): Verdict | Promise<Verdict>
  codeByWebCrypto(text: string): Promise<string>
}

/** All kinds of tokens, held against a guard that trusts all of their issuers; and against the same one without the fast path. */
export function createTokenSubject(hasMlDsa: boolean): TokenSubject {
  const issuers = createIssuers(now / 1000, hasMlDsa)
  const guardBy = (signatures: 'native' | 'webcrypto'): Guard =>
    createGuard(
      {
        audience: 'orders',
        issuers: issuers.map(({ options }) => options) as [IssuerOptions, ...IssuerOptions[]], // there are some
        // What was verified is hardly remembered, so that every mutant goes the whole way.
        cache: { maxEntries: 1 },
        signatures,
        log: false,
      },
      { clock: { now: () => now } },
    )
  const [native, webCrypto] = [guardBy('native'), guardBy('webcrypto')]
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
    decide(text) {
      const decision = native.decide(requestWith(`Bearer ${text}`), requirement)
      return decision instanceof Promise ? decision.then(verdictOf) : verdictOf(decision)
    },
    async codeByWebCrypto(text) {
      return verdictOf(await webCrypto.decide(requestWith(`Bearer ${text}`), requirement)).code
    },
    // RFC 9110 §11.4: any number of spaces may stand between scheme and token.
    oracle: (text) => oracle(text.replace(/^ +/, '')),
  }
}

export const verdictOf = (decision: Decision): Verdict =>
  decision.outcome === 'allow'
    ? { code: 'allow', claims: decision.caller?.claims }
    : { code: decision.refusal.code }
