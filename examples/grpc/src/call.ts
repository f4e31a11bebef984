// How a client of the service calls it, with its certificate.
import type { TestSvid } from '@countersign/testing'
import { Client, credentials, status, type MethodDefinition, type ServiceError } from '@grpc/grpc-js'
import type { Order } from './orders-service.ts'

/** Calls a method for one answer, and says what came of it. */
export async function call(
  port: number,
  bundle: string,
  caller: TestSvid | undefined,
  method: MethodDefinition<Order, Order>,
): Promise<string> {
  const identity = caller === undefined ? [] : ([Buffer.from(caller.key), Buffer.from(caller.cert)] as const)
  const client = new Client(`localhost:${port}`, credentials.createSsl(Buffer.from(bundle), ...identity))
  const { path, requestSerialize, responseDeserialize } = method
  try {
    return await new Promise((resolve) => {
      if (method.responseStream) {
        const states: string[] = []
        client
          .makeServerStreamRequest(path, requestSerialize, responseDeserialize, { id: '7' })
          .on('data', ({ state = '' }: Order) => void states.push(state))
          .on('error', (error: ServiceError) => resolve(outcome(error)))
          .on('end', () => states.length > 0 && resolve(`OK ${states.join(', ')}`))
      } else {
        client.makeUnaryRequest(path, requestSerialize, responseDeserialize, { id: '7' }, (error, order) =>
          resolve(error === null ? `OK ${JSON.stringify(order)}` : outcome(error)),
        )
      }
    })
  } finally {
    client.close()
  }
}

const outcome = ({ code, details }: ServiceError): string =>
  `${status[code]} ${details.replace(/ \(decision .*/, '')}`
