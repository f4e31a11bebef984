// The calls that are to be refused. Each is a call that succeeds, with one defect.
import type { RefusalCode } from '@countersign/core'
import {
  askPrice,
  changeStock,
  placeOrder,
  readCart,
  readOrder,
  readSales,
  readStock,
  recordSale,
  setPrice,
} from './allowed.ts'
import type { Call, Experiment } from './call.ts'
import { listOrders } from './recorded.ts'

const byToken = readOrder
const byCertificate: Call = { ...readOrder, credential: 'certificate' }
const byBoth: Call = { ...readStock, credential: 'token and certificate' }

export const refused: readonly Experiment[] = [
  withDefect(byToken, { caller: 'outsider', credential: 'none', expect: 'credential_missing' }),
  withDefect(byToken, { credential: 'expired token', expect: 'token_expired' }),
  withDefect(byToken, { credential: 'token for another audience', expect: 'audience_mismatch' }),
  withDefect(byToken, {
    caller: 'outsider',
    credential: 'token of another issuer',
    expect: 'issuer_unknown',
  }),
  withDefect(byToken, { caller: 'outsider', credential: 'forged signature', expect: 'signature_invalid' }),
  withDefect(byToken, { caller: 'outsider', credential: 'alg: none', expect: 'algorithm_not_allowed' }),
  withDefect(placeOrder, { credential: 'token without the scope', expect: 'scope_missing' }),
  withDefect(byCertificate, {
    caller: 'outsider',
    credential: 'another trust domain',
    expect: 'trust_domain_unknown',
  }),
  withDefect(byCertificate, { credential: 'expired certificate', expect: 'certificate_expired' }),
  withDefect(byCertificate, {
    caller: 'outsider',
    credential: 'certificate of another CA',
    expect: 'certificate_untrusted',
  }),
  withDefect(
    { ...placeOrder, credential: 'token and certificate' },
    { credential: "alice's token, certificate", expect: 'scope_missing' },
  ),
  withDefect(byBoth, {
    credential: "certificate, orders' token",
    expect: 'identity_mismatch',
  }),
  withDefect(byToken, { route: 'GET /revenue', path: '/revenue', expect: 'route_undeclared' }),
  withDefect(byToken, { credential: 'malformed header', expect: 'authorization_malformed' }),
  withDefect(byToken, { credential: 'duplicated header', expect: 'credential_duplicated' }),
  withDefect(changeStock, { caller: 'checkout', expect: 'caller_not_allowed' }),
  withDefect(
    { ...readCart, credential: 'certificate' },
    { caller: 'inventory', expect: 'caller_not_allowed' },
  ),
  withDefect(listOrders, { caller: 'outsider', credential: 'none', expect: 'credential_missing' }),
  withDefect(askPrice, { caller: 'outsider', credential: 'none', expect: 'credential_missing' }),
  withDefect(askPrice, { credential: 'expired token', expect: 'token_expired' }),
  withDefect(
    { ...askPrice, credential: 'token and certificate' },
    { credential: "certificate, orders' token", expect: 'identity_mismatch' },
  ),
  withDefect(setPrice, { caller: 'checkout', expect: 'scope_missing' }),
  withDefect(setPrice, { credential: 'token', expect: 'proof_insufficient' }),
  withDefect(readSales, {
    caller: 'outsider',
    credential: 'token of another issuer',
    expect: 'issuer_unknown',
  }),
  withDefect(
    { ...readSales, credential: 'certificate' },
    { caller: 'outsider', credential: 'another trust domain', expect: 'trust_domain_unknown' },
  ),
  withDefect(recordSale, { caller: 'checkout', expect: 'scope_missing' }),
]

// The control is what the defective call is made from, so the two cannot differ in anything else. What is refused is not let pass.
function withDefect(control: Call, defect: Partial<Call> & { readonly expect: RefusalCode }): Experiment {
  const { observed: _observed, candidate: _candidate, ...call } = control
  return { call: { ...call, ...defect }, control }
}
