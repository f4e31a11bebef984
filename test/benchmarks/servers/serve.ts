// Runs in a process of its own, so that what it uses is what the service uses.
import { createPublicKey } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { verifierOf } from '../contenders/peers.ts'
import { serveInChild } from './serve-in-child.ts'
import { bareAgain, type Framework, type ServeOrder, type Trust } from './contract.ts'

const listen = async ({ framework, contenders, jwk, jwksUri }: ServeOrder): Promise<readonly number[]> => {
  const { served } = (await import(`./${framework}.ts`)) as { readonly served: Framework } // each file here exports one
  const publicKey = createPublicKey({ key: jwk, format: 'jwk' })
  const trust: Trust = { keys: { algorithm: 'RS256', publicKey, jwk }, jwksUri }
  const ports: number[] = []
  for (const name of contenders) {
    const make =
      served.contenders[name === bareAgain ? 'bare' : name] ?? served.with(verifierOf(name, trust.keys))
    const server = createServer({ keepAliveTimeout: 0 }, await make(trust)).listen(0, '127.0.0.1')
    await once(server, 'listening')
    ports.push((server.address() as AddressInfo).port) // listening on a port
  }
  return ports
}

serveInChild((order) => listen(order as ServeOrder)) // what `startServices` sends
