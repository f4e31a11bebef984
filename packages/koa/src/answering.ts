import type { Decision } from '@countersign/core'
import { type RequestContext, refuse } from '@countersign/core/adapter'
import type { Context, Next } from 'koa'
import { runInOrder, type Handler } from './framework.ts'

/** Goes on upon an explicit allow, and upon nothing else; what is refused is answered. At once where the decision is at hand. */
export function answer(
  decision: Decision | Promise<Decision>,
  context: Context,
  goOn: () => unknown,
): unknown {
  if (decision instanceof Promise) return decision.then((settled) => answer(settled, context, goOn))
  if (decision.outcome !== 'allow') return refuse(decision, context.res)
  for (const name in decision.headers) context.res.setHeader(name, decision.headers[name] ?? '')
  return goOn()
}

/**
 * Runs handlers for which something was allowed, and bounds that to them. Koa writes an answer when every middleware is done, so where
 * they pass the request on, what was allowed for them ends with `leave`, and holds again when the request comes back, unless an answer
 * was made by what is behind them and nothing was allowed there. Who passes a request on and adds nothing has not answered it.
 */
export async function runBounded(
  context: Context,
  access: RequestContext,
  leave: (hasFailed: boolean) => void,
  handlers: readonly Handler[],
  next: Next,
): Promise<void> {
  const { decision } = access
  const atEntry = answerIn(context)
  const behind: { decision?: Decision | undefined; atReturn?: AnswerSoFar; hasAnswered: boolean } = {
    hasAnswered: false,
  }
  try {
    await runInOrder(handlers, context, async () => {
      const atExit = answerIn(context)
      leave(false)
      try {
        await next()
      } finally {
        behind.decision = access.decision
        behind.atReturn = answerIn(context)
        behind.hasAnswered = !isSame(atEntry, atExit)
        const mayGoOut = access.decision?.outcome ?? (isSame(atExit, behind.atReturn) ? 'allow' : 'deny')
        if (mayGoOut === 'allow') access.decision = decision
      }
    })
  } finally {
    const { atReturn, hasAnswered } = behind
    if (atReturn !== undefined && !hasAnswered && isSame(atReturn, answerIn(context))) {
      access.decision = behind.decision
    }
  }
}

/** What Koa would answer. */
type AnswerSoFar = readonly [body: unknown, status: number]

const answerIn = ({ body, status }: Context): AnswerSoFar => [body, status]
const isSame = (one: AnswerSoFar, other: AnswerSoFar): boolean => one[0] === other[0] && one[1] === other[1]
