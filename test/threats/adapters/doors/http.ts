// A route of a subject of the conformance suite.
import type { Guard, Placement } from '@countersign/core'
import { overHttp } from '../../../conformance/wires/http.ts'
import type { HttpSubject, Service } from '../../../conformance/subject.ts'
import type { Asked, Door, Field, OpenDoor, Seen } from '../door.ts'

export const httpDoor = (subject: HttpSubject): Door => ({
  name: subject.name,
  adapter: subject.adapter,
  target: { method: 'GET', path: '/door' },
  open: (guard, placement) => open(subject, guard, placement),
})

async function open(subject: HttpSubject, guard: Guard, placement: Placement): Promise<OpenDoor> {
  const service: Service = {
    routes: [
      {
        method: 'GET',
        path: '/door',
        placement,
        handle: ({ caller, headerNames }) => {
          const seen: Seen = { caller: caller?.id ?? null, names: headerNames }
          return { body: JSON.stringify({ seen }) }
        },
      },
    ],
  }
  const served = await overHttp(subject).start(guard, service)
  return {
    ask: async (fields): Promise<Asked> => {
      const { status, headers, body, code } = await served.call('/door', {
        headers: grouped(fields),
      })
      const { seen } = status === 200 ? (JSON.parse(body) as { readonly seen: Seen }) : { seen: undefined } // as written above
      const { date: _date, ...told } = headers
      return { seen, code, told: JSON.stringify([status, told, body]) }
    },
    close: async () => served.close(),
  }
}

/** As Node's client takes them: a list for what comes several times, in one spelling each. */
export function grouped(fields: readonly Field[]): Record<string, string[]> {
  const found: Record<string, string[]> = {}
  for (const [name, value] of fields) (found[name] ??= []).push(value)
  return found
}
