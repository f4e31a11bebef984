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
export function runBounded(
  context: Context,
  access: RequestContext,
  leave: (hasFailed: boolean) => void,
  handlers: readonly Handler[],
  next: Next,
): unknown {
  const { decision } = access
  const atEntry = answerIn(context)
  const behind: { decision?: Decision | undefined; atReturn?: AnswerSoFar; hasAnswered: boolean } = {
    hasAnswered: false,
  }
  const passOn = async (): Promise<void> => {
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
  }
  return runThen(
    () => runInOrder(handlers, context, passOn),
    () => {
      const { atReturn, hasAnswered } = behind
      if (atReturn !== undefined && !hasAnswered && isSame(atReturn, answerIn(context))) {
        access.decision = behind.decision
      }
    },
  )
}

/** Makes no promise where there is none. */
function runThen(run: () => unknown, finish: () => void): unknown {
  let isPending = false
  try {
    const result = run()
    isPending = typeof result === 'object' && result !== null && 'then' in result
    return isPending ? settle(result, finish) : result
  } finally {
    if (!isPending) finish()
  }
}

async function settle(result: unknown, finish: () => void): Promise<unknown> {
  try {
    return await result
  } finally {
    finish()
  }
}

/** What Koa would answer. */
type AnswerSoFar = readonly [body: unknown, status: number]

const answerIn = ({ body, status }: Context): AnswerSoFar => [body, status]
const isSame = (one: AnswerSoFar, other: AnswerSoFar): boolean => one[0] === other[0] && one[1] === other[1]
