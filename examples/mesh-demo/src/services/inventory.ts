import { join } from 'node:path'
import { countersign, createGuard, requireScopes, tlsOptions } from '@countersign/fastify'
import { policyDocument } from '@countersign/policy'
import fastify from 'fastify'
import { audienceOf } from '../workloads.ts'
import { runService } from './run-service.ts'

interface OfStock {
  readonly Params: { readonly sku: string }
}

runService(async ({ house, certificate }) => {
  const guard = createGuard({
    ...house,
    audience: audienceOf('inventory'),
    policy: policyDocument(join(import.meta.dirname, 'inventory.policy.yaml')),
  })
  const tls = tlsOptions({ ...certificate, guard })
  const app = fastify({ https: tls })
  tls.applyTo(app.server)
  await app.register(countersign(guard))

  app.get<OfStock>('/stock/:sku', requireScopes('stock:read'), async ({ params, caller }) => {
    return { sku: params.sku, available: 12, calledBy: caller.id }
  })
  // Who may change the stock, the policy document says.
  app.put<OfStock>('/stock/:sku', async ({ params, caller }) => {
    return { sku: params.sku, available: 11, calledBy: caller.id }
  })
  await app.ready()
  return { guard, server: app.server }
})
