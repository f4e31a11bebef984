// The threats that can reach an adapter, through each. Which those are says `reach.ts`.
import { describe } from 'vitest'
import type { HttpSubject } from '../../conformance/subject.ts'
import type { Door } from './door.ts'
import { httpDoor } from './doors/http.ts'
import { claimsOfIdentity } from './suite/claims-of-identity.ts'
import { credentials } from './suite/credentials.ts'
import { failures } from './suite/failures.ts'
import { handshakes } from './suite/handshakes.ts'
import { loads } from './suite/loads.ts'
import { octets } from './suite/octets.ts'
import { tokens } from './suite/tokens.ts'

/** Those that come with whatever carries credentials. */
export function threatsAt(door: Door): void {
  describe(`${door.name} (${door.adapter})`, () => {
    tokens(door)
    credentials(door)
    claimsOfIdentity(door)
    failures(door)
    loads(door)
  })
}

/** Those, and what only HTTP can do. */
export function threatsThrough(subject: HttpSubject): void {
  threatsAt(httpDoor(subject))
  describe(`${subject.name} (${subject.adapter})`, () => {
    octets(subject)
    handshakes(subject)
  })
}
