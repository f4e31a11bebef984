import type { Guard, GuardOptions } from '@countersign/core'
import { test } from 'vitest'
import { guardWith } from '../house.ts'
import { Served, type Transport } from '../served.ts'
import type { Feature, Service, Subject } from '../subject.ts'

/** Starts a service, and ends it and its guard when the test is over. */
export async function withService(
  subject: Subject,
  service: Service,
  run: (served: Served, guard: Guard) => Promise<void>,
  { transport = 'http', ...options }: Partial<GuardOptions> & { readonly transport?: Transport } = {},
): Promise<void> {
  const guard = guardWith(options)
  const built = await subject.build(guard, service)
  await built.seal()
  const served = await Served.start(built, guard, transport)
  try {
    await run(served, guard)
  } finally {
    await served.close()
    guard.close()
  }
}

/** A case of a feature: the matrix in `docs/frameworks.md` is made of these titles. Skipped aloud where the subject lacks it. */
export function feature(subject: Subject, name: Feature, title: string, run: () => Promise<void>): void {
  const why = subject.lacks?.[name]
  test.skipIf(why !== undefined)(`[${name}] ${title}${why === undefined ? '' : ` (${why})`}`, run)
}
