// Who is who: two homes that do not trust each other, and the services that live in them.

export const serviceNames = ['checkout', 'orders', 'inventory', 'pricing', 'reports', 'outsider'] as const

export type ServiceName = (typeof serviceNames)[number]

/** What each of them is written in. */
export const frameworkOf = {
  checkout: 'Koa',
  orders: 'Express',
  inventory: 'Fastify',
  pricing: 'gRPC',
  reports: 'Nest',
  outsider: 'Express',
} as const satisfies Readonly<Record<ServiceName, string>>

export const speaksGrpc = (service: ServiceName): boolean => frameworkOf[service] === 'gRPC'

/** A home has its own certificate authority, its own trust domain and its own OAuth issuer. */
export type HomeName = 'shop' | 'outside'

export const trustDomains = { shop: 'shop.example', outside: 'outside.example' } as const

/** The issuer of a home, by its name in tokens, which has nothing to do with where it listens. */
export const issuerOf = (home: HomeName): string => `https://id.${trustDomains[home]}`

export const homeOf = (service: ServiceName): HomeName => (service === 'outsider' ? 'outside' : 'shop')

/** The path of a service's SPIFFE ID, as a Kubernetes cluster would give it. */
export const spiffePathOf = (service: ServiceName): string => `/ns/shop/sa/${service}`

export const spiffeIdOf = (service: ServiceName): string =>
  `spiffe://${trustDomains[homeOf(service)]}${spiffePathOf(service)}`

/** The service behind a caller's id, or that id where it is none of them. */
export const nameOf = (caller: string | null): string =>
  serviceNames.find((service) => spiffeIdOf(service) === caller) ?? caller ?? 'nobody'

/** How tokens name the service that they are meant for. */
export const audienceOf = (service: ServiceName): string =>
  `https://${service}.${trustDomains[homeOf(service)]}`

/** A client of a home's issuer: a service that may ask for tokens there. */
export interface ClientRegistration {
  readonly service: ServiceName
  readonly id: string
  /** What the issuer says of it in the claim `spiffe_id`. */
  readonly spiffeId: string
  /** All that it may ask for, separated by spaces. What it may then do, its callees' policies decide. */
  readonly scope: string
}

const checkout: ClientRegistration = {
  service: 'checkout',
  id: 'checkout',
  spiffeId: spiffeIdOf('checkout'),
  scope: 'orders:read orders:write stock:read prices:read sales:read',
}

export const clientsOf: Readonly<Record<HomeName, readonly ClientRegistration[]>> = {
  shop: [
    checkout,
    {
      service: 'orders',
      id: 'orders',
      spiffeId: spiffeIdOf('orders'),
      scope: 'stock:read carts:read prices:read prices:write',
    },
  ],
  // Its own issuer says of the outsider, in a token that is valid in every way, that it is the shop's checkout.
  outside: [{ ...checkout, service: 'outsider' }],
}
