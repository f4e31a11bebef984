// Asks a service as a known caller and as a stranger.
import type { TestIssuer } from '@countersign/testing'
import { once } from 'node:events'
import type { Server } from 'node:net'

export interface Answers {
  readonly known: unknown
  readonly stranger: { readonly status: number | undefined; readonly challenge: string | null | undefined }
}

export async function answersOf(server: Server, issuer: TestIssuer): Promise<Answers> {
  const url = `http://localhost:${await portOf(server)}/orders/7`
  const headers = await issuer.headersFor('checkout', { scopes: ['orders:read'] })
  const known = await fetch(url, { headers: { ...headers } })
  const stranger = await fetch(url)
  const answers = {
    known: await known.json(),
    stranger: { status: stranger.status, challenge: stranger.headers.get('www-authenticate') },
  }
  await stranger.text()
  server.close()
  return answers
}

export async function portOf(server: Server): Promise<number> {
  if (!server.listening) await once(server, 'listening')
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('expected a port')
  return address.port
}
