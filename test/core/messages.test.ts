// Messages on an open connection: each is decided for itself, with the credentials that the connection was opened with.
import { createGuard, scopes, unprotected, type Decision } from '@countersign/core'
import { createTestClock, createTestIssuer, createTestProofKey } from '@countersign/testing'
import { expect, test } from 'vitest'
import { requestWith } from './support/asking.ts'

const codeOf = (decision: Decision): string | null =>
  decision.outcome === 'deny' ? decision.refusal.code : null

const externalUrl = 'https://chat.example'

async function open() {
  const clock = createTestClock()
  const issuer = await createTestIssuer({ clock })
  const key = await createTestProofKey({ clock })
  const guard = createGuard(
    { audience: 'orders', issuers: [issuer], dpop: { externalUrl }, log: false },
    { clock },
  )
  const token = await issuer.token('checkout', {
    audience: 'orders',
    scopes: ['chat:use'],
    boundTo: key,
    expiresIn: 300,
  })
  const { authorization, dpop } = await key.headersFor(token, { url: `${externalUrl}/chat`, method: 'GET' })
  const request = requestWith(authorization)
  const presented = {
    ...request,
    method: 'GET',
    url: '/chat',
    headers: { ...request.headers, dpop },
    rawHeaders: [...request.rawHeaders, 'DPoP', dpop],
  }
  return { clock, connection: guard.open(presented) }
}

test('a message is refused for itself, and changes nothing of its connection nor of other messages', async () => {
  const { connection } = await open()
  expect(codeOf(await connection.decide(scopes('chat:use'), 'WS /chat'))).toBeNull()
  const post = connection.forMessage()
  const who = connection.forMessage()
  expect(codeOf(await post.decide(scopes('chat:post'), 'WS /chat#post'))).toBe('scope_missing')
  expect(codeOf(await who.decide(scopes('chat:use'), 'WS /chat#who'))).toBeNull()
  expect(connection.decision?.outcome).toBe('allow')
  expect(codeOf(await connection.recheck())).toBeNull()
})

test('a proof is taken once for all messages, also where the connection itself asked for nothing', async () => {
  const { connection } = await open()
  expect(codeOf(await connection.decide(unprotected('is open'), 'WS /chat'))).toBeNull()
  for (let i = 0; i < 3; i += 1) {
    const message = i === 2 ? connection.forMessage().forMessage() : connection.forMessage()
    expect(codeOf(await message.decide(scopes('chat:use'), 'WS /chat#who'))).toBeNull()
  }
})

test('a message counts for nothing when the credentials are over', async () => {
  const { clock, connection } = await open()
  expect(codeOf(await connection.decide(scopes('chat:use'), 'WS /chat'))).toBeNull()
  clock.advance({ seconds: 4000 })
  const message = connection.forMessage()
  expect(codeOf(await message.decide(scopes('chat:use'), 'WS /chat#who'))).toBe('token_expired')
})
