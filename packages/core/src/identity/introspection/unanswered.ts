import { Refusal } from '../../refusal.ts'
import { problemOf } from '../trust/asked-server.ts'
import { UnexpectedStatus } from '../trust/fetch-document.ts'

/** What the operator is told of a server. */
interface Advice {
  /** The answer that did not come. */
  readonly expected: string
  /** Where it refuses to be asked by this service. */
  readonly whenRefused: string
  /** Where it cannot be reached. */
  readonly whenSilent: string
}

/** Nobody knows what the token is worth, because the one server that does gave no answer. */
export function unanswered(
  code: 'introspection_unavailable' | 'token_review_unavailable',
  error: unknown,
  { expected, whenRefused, whenSilent }: Advice,
): Refusal {
  // RFC 7662 §2.3 has 401 for a client that is not known; servers also answer 400 (RFC 6749 §5.2) and 403.
  const isRefusal = error instanceof UnexpectedStatus && [400, 401, 403].includes(error.status)
  return new Refusal(code, {
    expected,
    actual: problemOf(error),
    advice: isRefusal ? whenRefused : whenSilent,
  })
}
