import type { Clock, Guard, GuardOptions } from '@countersign/core'
import { test } from 'vitest'
import { guardWith } from '../house.ts'
import type { Served, Transport } from '../served.ts'
import type { Feature, Method, Service, Subject } from '../subject.ts'

interface Setting {
  readonly transport?: Transport
  readonly clock?: Clock
}

/** Starts a service, and ends it and its guard when the test is over. */
export async function withService(
  subject: Subject,
  service: Service,
  run: (served: Served, guard: Guard) => Promise<void>,
  { transport = 'http', clock, ...options }: Partial<GuardOptions> & Setting = {},
): Promise<void> {
  const environment = clock === undefined ? {} : { clock }
  const guard = guardWith(options, environment)
  try {
    const served = await subject.start(guard, service, { transport, ...environment })
    try {
      await run(served, guard)
    } finally {
      await served.close()
    }
  } finally {
    guard.close()
  }
}

/** As events and policy documents write it. */
export function routeOf(subject: Subject, method: Method, path: string): string {
  const name = subject.spell(method, path)
  return `${name.method} ${name.path}`
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
