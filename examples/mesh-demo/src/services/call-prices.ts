// Calls pricing as any client of gRPC does: a certificate on the channel, a token in the metadata of the call.
import { Client, Metadata, credentials, status, type ChannelCredentials } from '@grpc/grpc-js'
import { PricesService, type Price } from './prices-service.ts'
import { timeoutMs, type Answer, type Presented } from './send-request.ts'

export interface OutgoingCall extends Presented {
  /** The address of the service, as a URL. */
  readonly origin: string
  /** Of the method, such as `/shop.Prices/Get`. */
  readonly path: string
  readonly message: Price
  /** PEM of the authority that the server's certificate must come from. */
  readonly ca: string
}

/** Calls a method over a connection of its own. The answer has the status of gRPC, and its details where it is none of success. */
export async function callPrices(outgoing: OutgoingCall): Promise<Answer> {
  const { origin, path, message } = outgoing
  const startedAt = performance.now()
  const client = new Client(new URL(origin).host, credentialsOf(outgoing))
  const { requestSerialize, responseDeserialize } = PricesService.Get // every method takes a price, and answers one
  const options = { deadline: Date.now() + timeoutMs }
  try {
    return await new Promise((resolve) => {
      client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        message,
        options,
        (error, price) => {
          const answer =
            error === null
              ? { status: status.OK, body: JSON.stringify(price) }
              : { status: error.code, body: error.details }
          resolve({ ...answer, ms: performance.now() - startedAt })
        },
      )
    })
  } finally {
    client.close()
  }
}

function credentialsOf({ ca, certificate, authorization }: OutgoingCall): ChannelCredentials {
  const keyPair = certificate && ([Buffer.from(certificate.key), Buffer.from(certificate.cert)] as const)
  const metadata = new Metadata()
  for (const value of authorization) metadata.add('authorization', value)
  return credentials.combineChannelCredentials(
    credentials.createSsl(Buffer.from(ca), ...(keyPair ?? [])),
    credentials.createFromMetadataGenerator((_call, done) => done(null, metadata)),
  )
}
