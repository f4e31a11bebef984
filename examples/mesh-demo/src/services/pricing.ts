import { join } from 'node:path'
import {
  countersign,
  createGuard,
  createTlsServer,
  protect,
  requireCaller,
  requireScopes,
} from '@countersign/grpc'
import { policyDocument } from '@countersign/policy'
import { Server, type ServerUnaryCall, type sendUnaryData } from '@grpc/grpc-js'
import { audienceOf } from '../workloads.ts'
import { PricesService, type Price } from './prices-service.ts'
import { runService } from './run-service.ts'

type Call = ServerUnaryCall<Price, Price>
type Answer = sendUnaryData<Price>

runService(({ house, certificate }) => {
  const guard = createGuard({
    ...house,
    audience: audienceOf('pricing'),
    policy: policyDocument(join(import.meta.dirname, 'pricing.policy.yaml')),
  })
  const prices = protect(PricesService, {
    Get: requireScopes('prices:read'),
    Set: requireScopes('prices:write'),
  })
  const server = new Server({ interceptors: [countersign(guard, prices)] })

  server.addService(PricesService, {
    Get(call: Call, answer: Answer) {
      answer(null, { sku: call.request.sku, cents: 350, calledBy: requireCaller(call).id })
    },
    Set(call: Call, answer: Answer) {
      answer(null, { ...call.request, calledBy: requireCaller(call).id })
    },
  })
  return { guard, server: createTlsServer(server, { ...certificate, guard }) }
})
