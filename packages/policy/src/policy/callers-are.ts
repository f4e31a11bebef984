import { OtherRequirement, Refusal, quoted, type PolicyCaller } from '@countersign/core/adapter'
import type { Requirement } from '@countersign/core'

/** The calling service, or the user it calls for, must be one of these callers of the document. */
export function callersAre(callers: readonly PolicyCaller[]): Requirement {
  const patterns = callers.flatMap(({ is }) => is)
  const names = callers.map(({ name }) => name)
  const isOne = (id: string | undefined): boolean =>
    id !== undefined && patterns.some((pattern) => pattern.matches(id))
  return new OtherRequirement({
    text: `callers(${names.join(', ')})`,
    check: ({ id, service, user }) =>
      isOne(service?.id) || isOne(user?.id)
        ? undefined
        : new Refusal('caller_not_allowed', { expected: names.join(' or '), actual: quoted(id) }),
  })
}
