// A caller for unit tests of handlers, made the only way there is: a real guard verifies a real token.
import { authenticated, createGuard, type Caller } from '@countersign/core'
import type { TokenOptions } from './access-token.ts'
import { createTestIssuer } from './test-issuer.ts'

/** Whom the caller should be. Everything has a default. */
export interface TestCallerOptions extends Pick<TokenOptions, 'scopes' | 'user' | 'expiresIn' | 'claims'> {
  /** The workload that calls: the token's `client_id`. Default: `test-service`. */
  readonly service?: string
  /** The token's `aud`. Default: `orders`. */
  readonly audience?: string
}

/**
 * A verified caller with the id `https://issuer.test#client=<service>`; with `user` it is that user's token, and the
 * id is `https://issuer.test#sub=<user>`. Rejects if `claims` make a token that no guard would accept.
 */
export async function testCaller(options: TestCallerOptions = {}): Promise<Caller> {
  const { service = 'test-service', audience = 'orders', ...token } = options
  const idp = await createTestIssuer()
  const { authorization } = await idp.headersFor(service, { ...token, audience })
  const guard = createGuard({ audience, issuers: [idp], log: false })
  try {
    const rawHeaders = ['authorization', authorization]
    const request = { method: 'GET', url: '/', headers: { authorization }, rawHeaders, socket: {} }
    const decision = await guard.decide(request, authenticated())
    if (decision.outcome === 'allow' && decision.caller) return decision.caller
    throw new TypeError(
      `no guard would accept this caller: ${decision.outcome === 'deny' ? decision.refusal.code : 'none'}`,
    )
  } finally {
    guard.close()
  }
}
