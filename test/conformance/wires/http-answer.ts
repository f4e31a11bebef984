import type { Outcome, Received } from '../served.ts'

/** An answer of HTTP, to a request or to an upgrade that was not let. */
export const received = (answer: Omit<Received, 'outcome'>): Received => ({
  ...answer,
  outcome: outcomeOf(answer),
})

function outcomeOf({ status, headers }: Omit<Received, 'outcome'>): Outcome {
  if (status < 400) return 'handled'
  if (status === 404) return 'unknown'
  // For HEAD, too: the fields are those that GET would have.
  if (headers['content-type'] !== 'application/problem+json') return 'failed'
  return refusals[status] ?? 'failed'
}

const refusals: Readonly<Record<number, Outcome>> = {
  400: 'unauthenticated',
  401: 'unauthenticated',
  403: 'forbidden',
  500: 'set up wrongly',
  503: 'unavailable',
}
