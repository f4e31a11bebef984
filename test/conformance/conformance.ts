// One suite, over every adapter. A new behaviour is first a case in here.
import { describe } from 'vitest'
import { bodies } from './suite/bodies.ts'
import { connections } from './suite/connections.ts'
import { credentials } from './suite/credentials.ts'
import { openStreams } from './suite/open-streams.ts'
import { refusals } from './suite/refusals.ts'
import { routes } from './suite/routes.ts'
import { tricksOfUrls } from './suite/tricks-of-urls.ts'
import type { Subject } from './subject.ts'

export function conformance(subject: Subject): void {
  describe(`${subject.name} (${subject.adapter})`, () => {
    credentials(subject)
    refusals(subject)
    routes(subject)
    bodies(subject)
    connections(subject)
    openStreams(subject)
    tricksOfUrls(subject)
  })
}
