// The example service of gRPC, started as its README says.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const main = fileURLToPath(new URL('../../examples/grpc/src/main.ts', import.meta.url))

test('lets in who may call, refuses everybody else by a status, and shows what each method asks', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [main])
  const [outcomes = '', census = ''] = stdout.split('\nWhat each method asks:\n')
  expect(outcomes.split('\n').map((line) => line.replaceAll(/ +/g, ' '))).toEqual([
    'checkout /orders.Orders/Get OK {"id":"7","state":"packed","calledBy":"spiffe://shop.example/checkout"}',
    'checkout /orders.Orders/Watch OK packed, sent',
    'checkout /orders.Orders/Cancel OK {"id":"7","state":"cancelled","calledBy":"spiffe://shop.example/checkout"}',
    'checkout /grpc.health.v1.Health/Check OK {"id":"","state":"serving"}',
    'reports /orders.Orders/Get OK {"id":"7","state":"packed","calledBy":"spiffe://shop.example/reports"}',
    'reports /orders.Orders/Watch OK packed, sent',
    'reports /orders.Orders/Cancel PERMISSION_DENIED the caller may not do this',
    'reports /grpc.health.v1.Health/Check OK {"id":"","state":"serving"}',
    'mail /orders.Orders/Get PERMISSION_DENIED the caller lacks a required scope',
    'mail /orders.Orders/Watch PERMISSION_DENIED the caller lacks a required scope',
    'mail /orders.Orders/Cancel PERMISSION_DENIED the caller lacks a required scope',
    'mail /grpc.health.v1.Health/Check OK {"id":"","state":"serving"}',
    'nobody /orders.Orders/Get UNAUTHENTICATED a credential is required',
    'nobody /orders.Orders/Watch UNAUTHENTICATED a credential is required',
    'nobody /orders.Orders/Cancel UNAUTHENTICATED a credential is required',
    'nobody /grpc.health.v1.Health/Check OK {"id":"","state":"serving"}',
    '',
  ])
  expect(census).toMatch(/POST +\/orders\.Orders\/Watch +scopes\(orders:read\) +\S*server\.ts:\d+/)
})
