import { expect, test } from 'vitest'
import type { Caller } from '@countersign/core'
import { Requirement } from '@countersign/core/adapter'
import { parsePolicy } from '@countersign/policy'
import { serviceWith, userWith } from '../core/support/known-callers.ts'
import { occasion } from '../core/support/occasion.ts'
import { withLines } from './document.ts'

const service = await serviceWith()
const user = await userWith()
const userId = user.user?.id ?? ''
const serviceId = service.service?.id ?? ''

/** What a route answers that asks for this caller of the document, who has this id. */
function refusalOf(caller: Caller, id: string) {
  const text = withLines(
    `callers: { wanted: { is: [${JSON.stringify(id)}] } }`,
    'routes: [{ route: GET /, requires: { callers: [wanted] } }]',
  )
  const placement = parsePolicy(text).routes.get('GET /')?.placement
  if (!(placement instanceof Requirement)) throw new Error('expected a requirement')
  return placement.check(caller, 0, occasion)
}

test('a caller of the document is the service that calls', () => {
  expect(refusalOf(service, serviceId)).toBeUndefined()
})

test('or the user that it calls for', () => {
  expect(refusalOf(user, userId)).toBeUndefined()
})

test('a wildcard takes in each of its names', () => {
  expect(refusalOf(user, userId.replace(/=.*/, '=*'))).toBeUndefined()
})

test('whoever else calls is refused, and the names of the document are told', () => {
  for (const [caller, id] of [
    [service, userId],
    [service, `${serviceId}x`],
    [user, 'spiffe://td/other'],
  ] as const) {
    expect(refusalOf(caller, id)).toMatchObject({
      code: 'caller_not_allowed',
      detail: { expected: 'wanted' },
    })
  }
})
