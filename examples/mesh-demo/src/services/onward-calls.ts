// How a service calls others: always in its own name, with its own certificate and a token of its own.
import { audienceOf } from '../workloads.ts'
import { obtainToken } from './access-token.ts'
import { callPrices } from './call-prices.ts'
import { PricesService } from './prices-service.ts'
import { sendRequest, type Answer } from './send-request.ts'
import { requireClient, type ServiceSetup } from './setup.ts'

export interface OnwardCalls {
  /** Gets something of another service. */
  get(audience: string, path: string, scope: string): Promise<Answer>
  /** Asks pricing, over gRPC. */
  priceOf(sku: string): Promise<Answer>
}

export function onwardCalls(setup: ServiceSetup): OnwardCalls {
  const { certificate, home, peers } = setup
  const credentialsFor = async (audience: string, scope: string) => ({
    authorization: [`Bearer ${await obtainToken(requireClient(setup), { audience, scope })}`],
    ca: home.ca,
    certificate,
  })
  return {
    async get(audience, path, scope) {
      const credentials = await credentialsFor(audience, scope)
      return sendRequest({ ...credentials, method: 'GET', url: `${peers[audience]}${path}` })
    },
    async priceOf(sku) {
      const audience = audienceOf('pricing')
      const credentials = await credentialsFor(audience, 'prices:read')
      return callPrices({
        ...credentials,
        origin: peers[audience] ?? '',
        path: PricesService.Get.path,
        message: { sku },
      })
    },
  }
}
