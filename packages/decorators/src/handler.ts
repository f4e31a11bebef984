/** Takes the framework's own handler arguments. */
export type Handler = (...args: readonly unknown[]) => unknown

/**
 * Hands the rejection of an asynchronous handler `(request, response, next)` to its `next`, which Express 4 leaves to
 * whoever writes the handler. Nothing is returned then, so Express 5 does not hand it on a second time. Handlers of
 * another shape belong to frameworks that await them.
 */
export function forwardingRejections(handler: Handler): Handler {
  return (...args) => {
    const result = handler(...args)
    const [, , next] = args
    if (args.length !== 3 || !isNext(next) || !isThenable(result)) return result
    void forwardRejection(result, next)
    return undefined
  }
}

type Next = (error: object) => unknown

async function forwardRejection(result: PromiseLike<unknown>, next: Next): Promise<void> {
  try {
    await result
  } catch (reason) {
    next(asError(reason))
  }
}

// `next()` and `next('route')` mean "go on", which is never what a rejection means.
const asError = (reason: unknown): object =>
  typeof reason === 'object' && reason !== null
    ? reason
    : new Error('a handler rejected with something that is no error', { cause: reason })

const isNext = (value: unknown): value is Next => typeof value === 'function'

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}
