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

declare module 'vitest' {
  interface TaskMeta {
    /** Why the subject cannot have what the case is about. */
    lacks?: string
  }
}

/** A case of what not every framework has. Where the subject lacks it, it is skipped aloud, and the matrix says why. */
export function feature(subject: Subject, name: Feature, title: string, run: () => Promise<void>): void {
  test(title, async ({ skip, task }) => {
    const why = subject.lacks?.[name]
    if (why !== undefined) {
      task.meta.lacks = why
      skip(`${name}: ${why}`)
    }
    await run()
  })
}
