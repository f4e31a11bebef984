import { setImmediate as turn } from 'node:timers/promises'
import { scopes, type GuardOptions } from '@countersign/core'
import { createTestClock, createTestIssuer, type TestClock, type TestIssuer } from '@countersign/testing'
import { describe, expect } from 'vitest'
import { callerIdOf, replaceablePolicy, workloads, type Headers } from '../house.ts'
import type { OpenStream, Served } from '../served.ts'
import type { Conversation, Service, Subject } from '../subject.ts'
import { feature, withService } from './with-service.ts'

/** A service with one stream, by a clock of the test's. */
interface Streaming {
  readonly clock: TestClock
  readonly close: () => void
  /** As their handler sees them, in the order in which they were opened. */
  readonly conversations: readonly Conversation[]
  /** What the handler has heard. */
  readonly heard: readonly string[]
  /** How many of them its handler was told of that they are over. */
  over(): number
  tokenFor(name: string, expiresIn?: number): Promise<Headers>
  /** Opens a stream, and waits until its handler has greeted. */
  open(headers: Headers): Promise<OpenStream>
}

async function streaming(
  subject: Subject,
  run: (streaming: Streaming) => Promise<void>,
  options: Partial<GuardOptions> = {},
): Promise<void> {
  // The authority's certificates are made for now.
  const clock = createTestClock(new Date())
  const timed = await createTestIssuer({ clock, ...workloads })
  const conversations: Conversation[] = []
  const heard: string[] = []
  let over = 0
  const service: Service = {
    routes: [
      {
        method: 'GET',
        path: '/feed',
        placement: scopes('feed:read'),
        converse: (conversation) => {
          conversations.push(conversation)
          conversation.onMessage((text) => {
            heard.push(text)
            conversation.send(`echo ${text}`)
          })
          conversation.onEnd(() => (over += 1))
          conversation.send(`hello ${conversation.caller()?.id ?? 'nobody'}`)
        },
      },
    ],
  }
  await withService(
    subject,
    service,
    async (served, guard) => {
      await guard.ready()
      await run({
        clock,
        close: () => guard.close(),
        conversations,
        heard,
        over: () => over,
        tokenFor: (name, expiresIn = 3000) => tokenOf(timed, name, expiresIn),
        open: (headers) => greeted(served, headers),
      })
    },
    { issuers: [timed], clock, ...options },
  )
}

const tokenOf = (issuer: TestIssuer, name: string, expiresIn: number): Promise<Headers> =>
  issuer.headersFor(name, { audience: 'orders', scopes: ['feed:read'], expiresIn })

async function greeted(served: Served, headers: Headers): Promise<OpenStream> {
  const stream = served.open?.('/feed', { headers })
  if (stream === undefined) throw new Error('expected a wire that has open streams')
  await expect.poll(() => stream.received.length, { interval: 2, timeout: 10_000 }).toBeGreaterThan(0)
  return stream
}

async function passing(clock: TestClock, seconds: number): Promise<void> {
  for (let i = 0; i < seconds; i += 1) {
    clock.advance({ seconds: 1 })
    await turn()
  }
}

/** Lets time pass until a stream has ended: signatures are checked outside this thread. */
async function endOf(clock: TestClock, stream: OpenStream): Promise<string> {
  let end: string | undefined
  void stream.ended.then((how) => (end = how))
  await expect
    .poll(
      () => {
        if (end === undefined) clock.advance({ seconds: 1 })
        return end
      },
      { interval: 2, timeout: 10_000 },
    )
    .toBeDefined()
  return end ?? ''
}

export function openStreams(subject: Subject): void {
  const open = (title: string, run: () => Promise<void>): void => feature(subject, 'open streams', title, run)

  describe('what is open', () => {
    open('knows its caller, and talks both ways, for as long as the token is good', async () => {
      await streaming(subject, async ({ clock, conversations, open: begin, tokenFor }) => {
        const stream = await begin(await tokenFor('checkout', 300))
        await passing(clock, 290)
        stream.send('early')
        const said = [`hello ${callerIdOf('checkout')}`, 'echo early']
        await expect.poll(() => stream.received).toEqual(said)
        expect(conversations[0]?.caller()?.id).toBe(callerIdOf('checkout'))
        stream.close()
        expect(await stream.ended).toBe('otherwise')
      })
    })

    open('ends when the token does: its handler is told, knows nobody, and sends nothing more', async () => {
      await streaming(subject, async ({ clock, conversations, heard, over, open: begin, tokenFor }) => {
        const stream = await begin(await tokenFor('checkout', 100))
        expect(await endOf(clock, stream)).toBe('refused')
        stream.send('late')
        conversations[0]?.send('a secret')
        await expect.poll(over).toBe(1)
        await passing(clock, 60)
        expect(conversations[0]?.caller()).toBeUndefined()
        expect([over(), heard, stream.received]).toEqual([1, [], [`hello ${callerIdOf('checkout')}`]])
      })
    })

    open('ends when the policy takes away what it needs, and that of another caller does not', async () => {
      const { policy, grant } = replaceablePolicy('feed:read', { reports: 'feed:read' })
      await streaming(
        subject,
        async ({ clock, heard, over, open: begin, tokenFor }) => {
          const stream = await begin(await tokenFor('checkout'))
          const other = await begin(await tokenFor('reports'))
          await passing(clock, 30)
          expect(over()).toBe(0)
          grant('feed:write')
          expect(await endOf(clock, stream)).toBe('refused')
          stream.send('late')
          other.send('still here')
          await expect.poll(() => other.received.at(-1)).toBe('echo still here')
          expect([heard, over()]).toEqual([['still here'], 1])
        },
        { policy },
      )
    })

    open('is asked to come again where nobody can tell any more', async () => {
      let isDown = false
      const decide = () => ({ effect: isDown ? 'error' : 'permit' }) as const
      await streaming(
        subject,
        async ({ clock, open: begin, tokenFor }) => {
          const stream = await begin(await tokenFor('checkout'))
          isDown = true
          expect(await endOf(clock, stream)).toBe('unavailable')
        },
        { deciders: [{ name: 'other', decide }] },
      )
    })

    open('is asked about no more once its client has closed it', async () => {
      let asked = 0
      const decide = () => {
        asked += 1
        return { effect: 'permit' } as const
      }
      await streaming(
        subject,
        async ({ clock, over, open: begin, tokenFor }) => {
          const stream = await begin(await tokenFor('checkout'))
          await passing(clock, 12)
          expect(asked).toBeGreaterThan(1)
          stream.close()
          await stream.ended
          await expect.poll(over).toBe(1)
          const before = asked
          await passing(clock, 60)
          expect(asked).toBe(before)
        },
        { deciders: [{ name: 'counts', decide }] },
      )
    })

    open('ends for everybody when the guard is closed', async () => {
      await streaming(subject, async ({ clock, close, open: begin, tokenFor }) => {
        const streams = await Promise.all(
          Array.from({ length: 20 }, async (_, i) => begin(await tokenFor(`caller-${i}`))),
        )
        close()
        for (const stream of streams) expect(['refused', 'unavailable']).toContain(await endOf(clock, stream))
      })
    })

    open('among 50, ends for those whose token does, and no caller is taken for another', async () => {
      await streaming(subject, async ({ clock, conversations, open: begin, tokenFor }) => {
        const streams = await Promise.all(
          Array.from({ length: 50 }, async (_, i) =>
            begin(await tokenFor(`caller-${i}`, i % 2 === 0 ? 100 : 1000)),
          ),
        )
        for (const [i, { received }] of streams.entries()) {
          expect(received).toEqual([`hello ${callerIdOf(`caller-${i}`)}`])
        }
        for (const [i, stream] of streams.entries()) {
          if (i % 2 === 0) expect(await endOf(clock, stream)).toBe('refused')
        }
        const left = conversations.map((each) => each.caller()?.id).filter((id) => id !== undefined)
        expect(left).toHaveLength(25)
        for (const id of left) expect(id).toMatch(/caller-\d*[13579]$/)
      })
    })
  })
}
