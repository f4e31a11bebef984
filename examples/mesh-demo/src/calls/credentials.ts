// What each kind of caller presents. Everything a refused call presents is real, but for the one thing its name says.
import { createTestCa } from '@countersign/testing'
import type { Mesh } from '../mesh.ts'
import type { KeyPair, Presented } from '../services/send-request.ts'
import { audienceOf, spiffePathOf, trustDomains, type ServiceName } from '../workloads.ts'
import type { Call } from './call.ts'
import { onBehalfOf } from './delegated-token.ts'
import { expire, forge, unsign } from './hostile-tokens.ts'

export type Credential =
  | 'none'
  | 'token'
  | 'certificate'
  | 'token and certificate'
  | "alice's token, certificate"
  | 'expired token'
  | 'token for another audience'
  | 'token of another issuer'
  | 'forged signature'
  | 'alg: none'
  | 'token without the scope'
  | 'malformed header'
  | 'duplicated header'
  | 'another trust domain'
  | 'expired certificate'
  | 'certificate of another CA'
  | "certificate, orders' token"

/** Gets or makes what a call presents. */
export async function prepare(call: Call, mesh: Mesh): Promise<Presented> {
  const audience = audienceOf(call.callee)
  return recipes[call.credential]({
    mesh,
    certificate: mesh.services[call.caller].certificate,
    tokenOf: (service, other) =>
      mesh.services[service].process.ask('token', { audience, scope: call.scope, ...other }),
    ownToken: () => mesh.services[call.caller].process.ask('token', { audience, scope: call.scope }),
  })
}

interface Ingredients {
  readonly mesh: Mesh
  /** The caller's own. */
  readonly certificate: KeyPair
  /** From the caller's own issuer, for this call. */
  readonly ownToken: () => Promise<string>
  /** The token that a service would get for this call, or for another audience or scope. */
  readonly tokenOf: (
    service: ServiceName,
    other?: { readonly audience?: string; readonly scope?: string },
  ) => Promise<string>
}

const recipes: Record<Credential, (from: Ingredients) => Promise<Presented>> = {
  none: async () => ({ authorization: [] }),
  token: async ({ ownToken }) => bearer(await ownToken()),
  certificate: async ({ certificate }) => ({ authorization: [], certificate }),
  'token and certificate': async ({ ownToken, certificate }) => ({
    ...bearer(await ownToken()),
    certificate,
  }),
  "alice's token, certificate": async ({ ownToken, certificate, mesh }) => ({
    ...bearer(await onBehalfOf('alice', await ownToken(), mesh.homes.shop.issuerProcess)),
    certificate,
  }),

  'expired token': async ({ ownToken, mesh }) =>
    bearer(await expire(await ownToken(), mesh.homes.shop.issuerProcess)),
  'token for another audience': async ({ tokenOf }) =>
    bearer(await tokenOf('checkout', { audience: audienceOf('inventory') })),
  // The outsider's own issuer says that it is checkout, and says it well: only nobody here trusts that issuer.
  'token of another issuer': async ({ ownToken }) => bearer(await ownToken()),
  'forged signature': async ({ tokenOf }) => bearer(await forge(await tokenOf('checkout'))),
  'alg: none': async ({ tokenOf }) => bearer(unsign(await tokenOf('checkout'))),
  'token without the scope': async ({ tokenOf }) =>
    bearer(await tokenOf('checkout', { scope: 'orders:read' })),

  'malformed header': async () => ({ authorization: ['Bearer'] }),
  'duplicated header': async ({ ownToken }) => {
    const field = `Bearer ${await ownToken()}`
    return { authorization: [field, field] }
  },

  'another trust domain': async ({ mesh }) =>
    svid(await mesh.homes.outside.authority.svid(spiffePathOf('checkout'))),
  'expired certificate': async ({ mesh }) =>
    svid(await mesh.homes.shop.authority.broken('expired', spiffePathOf('checkout'))),
  // It may call itself what it likes, the shop's own CA included: its key is another one.
  'certificate of another CA': async () => {
    const trustDomain = trustDomains.shop
    const imposter = await createTestCa({ trustDomain, name: `Development CA of ${trustDomain}` })
    return svid(await imposter.svid(spiffePathOf('checkout')))
  },
  // Each of the two would do alone. Together they are two callers.
  "certificate, orders' token": async ({ tokenOf, certificate }) => ({
    ...bearer(await tokenOf('orders')),
    certificate,
  }),
}

const bearer = (token: string): Presented => ({ authorization: [`Bearer ${token}`] })

const svid = ({ cert, key }: KeyPair): Presented => ({ authorization: [], certificate: { cert, key } })
