// All that is promised of grpc-js, on the oldest release that it is promised of.
import { ServerInterceptingCall } from '@grpc/grpc-js'
import { expect, test, vi } from 'vitest'
import './calls.test.ts'
import './certificates.test.ts'
import './interceptors.test.ts'
import './methods.test.ts'
import './streams.test.ts'

// @ts-expect-error -- an alias, whose types are those of an older release
vi.mock(import('@grpc/grpc-js'), () => import('grpc-js112'))

test('is the oldest release', () => {
  expect('getAuthContext' in ServerInterceptingCall.prototype).toBe(false)
})
