import { Refusal } from '../../refusal.ts'
import { claimMalformed } from '../claim-refusals.ts'
import { isRecord } from '../jws/json-object.ts'

/** Who acts for the subject of a token (RFC 8693 §4.1). The outermost acts now; those within it acted before. */
export interface Actor {
  /** `<issuer>#sub=<subject>`. */
  readonly id: string
  /** The issuer in whose name space the subject stands: what the actor says, else the token's own. */
  readonly issuer: string
  readonly subject: string
  readonly clientId: string | undefined
  /** Everything said of the actor, frozen. */
  readonly claims: Readonly<Record<string, unknown>>
}

/** Parses `act`, outermost first. `exp`, `nbf` and `aud` in it mean nothing. */
export function parseActors(act: unknown, issuer: string): readonly Actor[] | Refusal {
  if (act === undefined) return nobody
  const actors: Actor[] = []
  for (let current: unknown = act; current !== undefined;) {
    if (actors.length >= maxDepth) {
      return new Refusal('actor_chain_too_deep', {
        expected: `at most ${maxDepth} actors`,
        actual: 'more',
        advice: 'have the issuer shorten the chain: only the outermost actor can ever decide anything',
      })
    }
    if (!isRecord(current)) return claimMalformed('`act`: an object', current)
    const { sub, iss, client_id: clientId, act: earlier } = current
    if (typeof sub !== 'string' || sub === '') return claimMalformed('`act.sub`: a string', sub)
    if (iss !== undefined && typeof iss !== 'string') return claimMalformed('`act.iss`: a string', iss)
    if (clientId !== undefined && typeof clientId !== 'string') {
      return claimMalformed('`act.client_id`: a string', clientId)
    }
    const speaker = iss ?? issuer
    actors.push(
      Object.freeze({
        id: `${speaker}#sub=${sub}`,
        issuer: speaker,
        subject: sub,
        clientId,
        claims: current,
      }),
    )
    current = earlier
  }
  return Object.freeze(actors)
}

const nobody: readonly Actor[] = Object.freeze([])
const maxDepth = 5
