import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { decisionChannel, scopes, unprotected, type DecisionEvent } from '@countersign/core'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { tricks } from '../../threats/support/url-tricks.ts'
import { bearerOf, guardWith, type Headers } from '../house.ts'
import type { Served } from '../served.ts'
import type { Service, ServiceRoute, Subject } from '../subject.ts'
import { feature } from './with-service.ts'

/** The handlers that ran, each by the scope that its route asks for. */
let ran: string[] = []
const route = (method: ServiceRoute['method'], path: string, scope: string): ServiceRoute => ({
  method,
  path,
  placement: scope === 'open' ? unprotected('open') : scopes(scope),
  handle: () => {
    ran.push(scope)
    return { body: scope }
  },
})
const service: Service = {
  routes: [
    route('GET', '/open', 'open'),
    route('GET', '/healthz', 'open'),
    route('GET', '/admin/panel', 'panel:read'),
    route('GET', '/admin/deep/inner', 'deep:read'),
    route('GET', '/orders/:id', 'order:read'),
    route('DELETE', '/orders/:id', 'order:remove'),
    route('POST', '/orders/:id', 'order:write'),
    route('GET', '/one', 'listed:read'),
    route('GET', '/two', 'listed:read'),
    route('GET', '/plain', 'plain:read'),
    route('POST', '/every', 'every:write'),
    route('GET', '/tenants/:tenant/list', 'tenant:read'),
    route('GET', '/files/x.txt', 'assets:read'),
  ],
}
const all = ['panel', 'deep', 'order', 'listed', 'plain', 'tenant', 'assets']
  .map((name) => `${name}:read`)
  .concat('order:remove', 'order:write', 'every:write')

export function tricksOfUrls(subject: Subject): void {
  describe('the route that handles is the route that was checked', () => {
    let served: Served
    let everything: Headers
    const guard = guardWith()
    beforeAll(async () => {
      everything = await bearerOf('all', ...all)
      served = await subject.start(guard, service)
    })
    afterAll(async () => {
      await served.close()
      guard.close()
    })

    async function send(
      line: string,
      fields: readonly string[],
      credential: Headers = {},
    ): Promise<readonly DecisionEvent[]> {
      ran = []
      const events: DecisionEvent[] = []
      const listen = (event: unknown): void => void events.push(event as DecisionEvent) // the channel's own
      subscribe(decisionChannel, listen)
      const socket = await served.raw()
      socket.on('error', () => undefined) // the server may hang up while more is sent
      const closed = new Promise((resolve) => socket.once('close', resolve))
      const lines = Object.entries(credential).map(([name, value]) => `${name}: ${value}`)
      const head = [
        `${line} HTTP/1.1`,
        'Host: orders.internal',
        ...served.opening,
        ...fields,
        ...lines,
        '',
        '',
      ]
      let answer = Buffer.alloc(0)
      socket.on('data', (chunk) => {
        answer = Buffer.concat([answer, chunk])
        if (served.ending !== undefined && answer.includes(served.ending)) socket.destroy()
      })
      socket.write(Buffer.from(head.join('\r\n'), 'latin1'))
      await closed
      unsubscribe(decisionChannel, listen)
      return events
    }

    for (const id of ['T46', 'T47', 'T50', 'T53']) {
      feature(subject, 'methods of HTTP', `${id} whatever the request line and its headers try`, async () => {
        const reached = new Set<string>()
        for (const [, line, ...fields] of tricks.filter(([threat]) => threat === id)) {
          const events = await send(line, fields, everything)
          expect(ran.length, line).toBeLessThanOrEqual(1)
          const [scope] = ran
          if (scope !== undefined) reached.add(scope)
          if (scope !== undefined) expect(events.at(-1)?.requirement, line).toContain(scope)
          for (const { route: name } of events) expect(name, line).not.toMatch(/\.\.|attacker|%/)
          await send(line, fields)
          expect(
            ran.filter((label) => label !== 'open'),
            line,
          ).toEqual([])
          if (scope === undefined || scope === 'open') continue
          await send(line, fields, await bearerOf('without', ...all.filter((each) => each !== scope)))
          expect(ran, line).toEqual([])
        }
        expect(reached.size).toBeGreaterThan(0)
      })
    }
  })
}
