import { createGuard, scopes, type Guard, type GuardOptions } from '@countersign/core'
import type { Contender } from '../measure.ts'
import { arriving, audience, issuer, type Signer } from '../tokens.ts'

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
    const requests = Array.from({ length: connections }, requestOnNew)
    // The key is made ready by the first token.
    await ask(guard, arriving([plan.signer.token()])(), requestOnNew())
    const arrive = arriving(tokens)
    if (plan.isWarm === true) {
      for (let i = 0; i < tokens.length; i += 1) {
        await nextTurn()
        await ask(guard, arrive(), requestOnNew())
      }
      for (const request of requests) await ask(guard, arrive(), request)
    }
    let next = 0
    return {
      async run(times) {
        for (let i = 0; i < times; i += 1, next += 1) {
          if (i % perTurn === 0 && plan.isWarm !== true) await nextTurn()
          const asked = ask(guard, arrive(), requests[next % connections] ?? requestOnNew())
          const decision = asked instanceof Promise ? await asked : asked
          if (decision.outcome !== outcome) throw new Error(`${plan.name}: expected ${outcome}`)
        }
      },
      close: () => guard.close(),
    }
  },
})

/** A request by a connection of its own, which is there again for the next one on it: what is measured is none of its making. */
const requestOnNew = () => ({
  method: 'GET',
  url: '/',
  headers: { host: 'orders.internal', authorization: '' },
  rawHeaders: ['Host', 'orders.internal', 'Authorization', ''],
  socket: {},
})

function ask(
  guard: Guard,
  authorization: string,
  request: ReturnType<typeof requestOnNew>,
): ReturnType<Guard['decide']> {
  request.headers.authorization = authorization
  request.rawHeaders[3] = authorization
  return guard.decide(request, read, 'GET /orders/:id')
}

/** Tokens that were never seen come two in a turn of the event loop, for every contender. */
export const perTurn = 2
export const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
