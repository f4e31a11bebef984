import { createGuard, scopes, type Guard, type GuardOptions } from '@countersign/core'
import type { Contender } from '../measure.ts'
import { audience, fresh, issuer, type Signer } from '../tokens.ts'

const read = scopes('orders:read')

export interface GuardPlan {
  readonly name: string
  readonly signer: Signer
  readonly tokens: readonly string[]
  /** How many connections they come by, in turn. */
  readonly connections: number
  /** Whether each token was seen before. */
  readonly isWarm?: boolean
  /** What has to come of each. */
  readonly outcome?: 'allow' | 'deny'
  readonly options?: Partial<GuardOptions>
}

/** `guard.decide`, whole: header, token, scopes, decision, insertion. */
export const countersign = ({ outcome = 'allow', tokens, connections, ...plan }: GuardPlan): Contender => ({
  name: plan.name,
  async prepare() {
    const guard = createGuard({
      audience,
      issuers: [{ issuer, jwks: { keys: [plan.signer.jwk] } }],
      log: false,
      ...plan.options,
    })
    const sockets = Array.from({ length: connections }, () => ({}))
    // The key is made ready by the first token.
    await ask(guard, plan.signer.token(), {})
    if (plan.isWarm === true) {
      for (const token of tokens) {
        await nextTurn()
        await ask(guard, token, {})
      }
      for (const [i, socket] of sockets.entries()) await ask(guard, tokens[i % tokens.length] ?? '', socket)
    }
    return {
      async run(times) {
        for (let i = 0; i < times; i += 1) {
          if (i % perTurn === 0 && plan.isWarm !== true) await nextTurn()
          const asked = ask(guard, tokens[i % tokens.length] ?? '', sockets[i % connections] ?? {})
          const decision = asked instanceof Promise ? await asked : asked
          if (decision.outcome !== outcome) throw new Error(`${plan.name}: expected ${outcome}`)
        }
      },
      close: () => guard.close(),
    }
  },
})

function ask(guard: Guard, token: string, socket: object): ReturnType<Guard['decide']> {
  const authorization = fresh(`Bearer ${token}`)
  const rawHeaders = ['Authorization', authorization]
  return guard.decide(
    { method: 'GET', url: '/', headers: { authorization }, rawHeaders, socket },
    read,
    'GET /orders/:id',
  )
}

/** Tokens that were never seen come two in a turn of the event loop, for every contender. */
export const perTurn = 2
export const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
