import type { RefusalCode } from '@countersign/core'
import type { Mesh } from '../mesh.ts'

/** A call to make by hand, in the folder of the credential files. */
export interface Line {
  /** What it shows, in words. */
  readonly about: string
  readonly expect: 'allow' | RefusalCode
  /** What is given to the program, as it is typed into a shell. */
  readonly args: string
}

export const curl = "curl -iw '\\n' --cacert ca.pem"

export function curlLines({ services }: Mesh): readonly Line[] {
  const { checkout, orders, inventory, reports } = services
  const order = `${orders.origin}/orders/1`
  return [
    { about: 'by token', expect: 'allow', args: `${bearer('checkout')} ${order}` },
    { about: 'by certificate', expect: 'allow', args: `${certificate('checkout')} ${order}` },
    {
      about: 'by both, and on to inventory in the name of orders',
      expect: 'allow',
      args: `${bearer('checkout')} ${certificate('checkout')} ${order}/stock`,
    },
    {
      about: 'checkout for alice, who may read',
      expect: 'allow',
      args: `${bearer('alice')} ${certificate('checkout')} ${order}`,
    },
    {
      about: 'let pass while it is only observed',
      expect: 'allow',
      args: `${certificate('checkout')} ${orders.origin}/orders`,
    },
    { about: 'nobody in particular', expect: 'allow', args: `${orders.origin}/healthz` },
    {
      about: 'and on to pricing, over gRPC',
      expect: 'allow',
      args: `${certificate('checkout')} ${order}/price`,
    },
    { about: 'a report', expect: 'allow', args: `${certificate('checkout')} ${reports.origin}/sales/tea` },
    { about: 'no credential', expect: 'credential_missing', args: order },
    { about: 'expired an hour ago', expect: 'token_expired', args: `${bearer('expired')} ${order}` },
    { about: 'meant for inventory', expect: 'audience_mismatch', args: `${bearer('inventory')} ${order}` },
    { about: 'from another issuer', expect: 'issuer_unknown', args: `${bearer('outside')} ${order}` },
    {
      about: 'may read, and wants to write',
      expect: 'scope_missing',
      args: `-X POST ${bearer('read-only')} ${orders.origin}/orders`,
    },
    {
      about: 'alice may not write, though checkout may',
      expect: 'scope_missing',
      args: `-X POST ${bearer('alice')} ${certificate('checkout')} ${orders.origin}/orders`,
    },
    {
      about: 'a caller of another zone',
      expect: 'caller_not_allowed',
      args: `${certificate('inventory')} ${checkout.origin}/carts/1`,
    },
    {
      about: 'a certificate from outside',
      expect: 'trust_domain_unknown',
      args: `${certificate('outsider')} ${order}`,
    },
    {
      about: 'only orders may change the stock',
      expect: 'caller_not_allowed',
      args: `-X PUT ${certificate('checkout')} ${inventory.origin}/stock/tea`,
    },
    {
      about: 'may read reports, and wants to write one',
      expect: 'scope_missing',
      args: `-X POST ${certificate('checkout')} ${reports.origin}/sales`,
    },
    {
      about: 'a route that says nothing of its callers',
      expect: 'route_undeclared',
      args: `${bearer('checkout')} ${orders.origin}/revenue`,
    },
  ]
}

const bearer = (name: string): string => `-H "Authorization: Bearer $(cat ${name}.token)"`

const certificate = (name: string): string => `--cert ${name}.pem --key ${name}.key`
