import type { Mesh } from '../mesh.ts'
import type { Line } from './curl-lines.ts'

export const grpcurl = 'grpcurl -cacert ca.pem -proto pricing.proto'

/** The same for pricing, whose methods curl cannot call. */
export function grpcurlLines({ services }: Mesh): readonly Line[] {
  const { host } = new URL(services.pricing.origin)
  const get = `-d '{"sku":"tea"}' ${host} shop.Prices/Get`
  const set = `-d '{"sku":"tea","cents":400}' ${host} shop.Prices/Set`
  return [
    { about: 'by token', expect: 'allow', args: `${bearer('prices')} ${get}` },
    { about: 'by certificate', expect: 'allow', args: `${certificate('checkout')} ${get}` },
    { about: 'orders sets a price', expect: 'allow', args: `${certificate('orders')} ${set}` },
    { about: 'no credential', expect: 'credential_missing', args: get },
    { about: 'meant for orders', expect: 'audience_mismatch', args: `${bearer('checkout')} ${get}` },
    { about: 'checkout sets no prices', expect: 'scope_missing', args: `${certificate('checkout')} ${set}` },
  ]
}

const bearer = (name: string): string => `-H "authorization: Bearer $(cat ${name}.token)"`

const certificate = (name: string): string => `-cert ${name}.pem -key ${name}.key`
