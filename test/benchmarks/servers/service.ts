// What is the same in all of them.
import { createGuard, type Guard } from '@countersign/core'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { audience, issuer } from '../tokens.ts'
import type { Trust } from './contract.ts'

/** What `GET /orders/:id` answers. */
export const order = { id: '7', state: 'shipped', items: 3 }

export const guardOf = ({ keys: { jwk } }: Trust): Guard =>
  createGuard({ audience, issuers: [{ issuer, jwks: { keys: [jwk] } }], log: false })

/** The token, for peers that are verifiers and no middlewares. */
export const bearer = ({ headers: { authorization = '' } }: Pick<IncomingMessage, 'headers'>): string =>
  authorization.startsWith('Bearer ') ? authorization.slice(7) : ''

export function refuseWith401(response: ServerResponse): void {
  response.statusCode = 401
  response.end()
}
