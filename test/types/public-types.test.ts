import {
  createGuard,
  defineOptions,
  scopes,
  type Caller,
  type Decision,
  type GuardOptions,
  type Requirement,
} from '@countersign/core'
import { requires, type Guard } from '@countersign/express'
import { expectTypeOf, test } from 'vitest'

// Nothing here runs: what must compile is written down, and what must not is marked as the error that it is.

test('an audience is demanded as soon as there are issuers, and is nothing without them', () => {
  expectTypeOf<{ issuers: ['https://idp.internal']; audience: 'orders' }>().toExtend<GuardOptions>()
  expectTypeOf<{ issuers: ['https://idp.internal'] }>().not.toExtend<GuardOptions>()
  expectTypeOf<{ audience: 'orders' }>().not.toExtend<GuardOptions>()
  expectTypeOf<{ issuers: []; audience: 'orders' }>().not.toExtend<GuardOptions>()
  expectTypeOf<{
    certificates: { trustDomains: { 'prod.example': './bundle.pem' } }
  }>().toExtend<GuardOptions>()
})

test('a caller, a requirement and an allow cannot be written by hand', () => {
  expectTypeOf<{
    id: string
    service: undefined
    user: undefined
    scopes: Set<string>
    claims: Record<string, unknown>
    provenBy: []
    expiresAt: number
  }>().not.toExtend<Caller>()
  expectTypeOf<{ outcome: 'allow'; id: string; caller: undefined }>().not.toExtend<Decision>()
  expectTypeOf<string>().not.toExtend<Requirement>()
})

test('a decision is asked for its outcome before it gives a caller or an answer', () => {
  expectTypeOf<Extract<Decision, { outcome: 'allow' }>['caller']>().toEqualTypeOf<Caller | undefined>()
  expectTypeOf<Extract<Decision, { outcome: 'deny' }>>().not.toHaveProperty('caller')
  expectTypeOf<ReturnType<Guard['decide']>>().toEqualTypeOf<Decision | Promise<Decision>>()
})

test('what a route asks is a requirement, never a bare scope', () => {
  expectTypeOf(scopes).parameter(0).toEqualTypeOf<string>()
  expectTypeOf(requires).parameter(0).not.toEqualTypeOf<string>()
  // @ts-expect-error -- an empty requirement would allow everybody
  const empty = (): Requirement => scopes()
  expectTypeOf(empty).returns.toEqualTypeOf<Requirement>()
})

test('a house configuration keeps its literal types', () => {
  const house = defineOptions({ audience: 'orders', issuers: ['https://idp.internal'] })
  expectTypeOf(house.audience).toEqualTypeOf<'orders'>()
  expectTypeOf(createGuard).parameter(0).toEqualTypeOf<GuardOptions>()
})
