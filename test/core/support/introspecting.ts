// An authorization server that answers as a test tells it to, over real HTTPS on loopback, and who asks it.
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createTestClock, type TestClock } from '@countersign/testing'
import { GivenKeys, type KeySource } from '../../../packages/core/src/identity/trust/key-source.ts'
import {
  fetchDocument,
  type FetchDocument,
} from '../../../packages/core/src/identity/trust/fetch-document.ts'
import type {
  IntrospectedToken,
  Introspector,
} from '../../../packages/core/src/identity/introspection/introspector.ts'
import {
  parseIntrospection,
  type IntrospectionContext,
  type IntrospectionOptions,
} from '../../../packages/core/src/options/parse-introspection.ts'
import { Refusal } from '../../../packages/core/src/refusal.ts'
import { openSite, type IssuerSite, type Page } from './issuer-site.ts'

/** One request to the introspection endpoint. */
export interface Asked {
  readonly method: string | undefined
  readonly headers: IncomingMessage['headers']
  readonly form: URLSearchParams
}

/** What the endpoint answers: JSON with status 200, or whatever a function does with the response. */
export type Answer = object | ((response: ServerResponse, asked: Asked) => void)

export interface AuthorizationServer extends AsyncDisposable {
  readonly issuer: string
  readonly site: IssuerSite
  readonly clock: TestClock
  readonly asked: readonly Asked[]
  /** What is answered from now on. */
  answers(answer: Answer): void
  introspector(options?: Partial<IntrospectionOptions>, context?: Partial<IntrospectionContext>): Introspector
}

export const secret = 'a-secret-of-the-orders-service'

export async function openAuthorizationServer(
  first: Answer,
  pages: (origin: string) => Record<string, Page> = () => ({}),
): Promise<AuthorizationServer> {
  const asked: Asked[] = []
  let answer = first
  const site = await openSite((origin) => ({
    ...pages(origin),
    '/introspect': async (response, request) => {
      const one = await read(request)
      asked.push(one)
      if (typeof answer === 'function') answer(response, one)
      else response.setHeader('content-type', 'application/json').end(JSON.stringify(answer))
    },
  }))
  const clock = createTestClock()
  return {
    issuer: site.origin,
    site,
    clock,
    asked,
    answers: (next) => (answer = next),
    introspector: (options = {}, context = {}) =>
      introspectorOf(
        site.origin,
        clock,
        { endpoint: `${site.origin}/introspect`, ...options },
        { ca: site.ca, ...context },
      ),
    [Symbol.asyncDispose]: () => site[Symbol.asyncDispose](),
  }
}

/** An Introspector of the options that a test writes, complete where it is silent. */
export const introspectorOf = (
  issuer: string,
  clock: TestClock,
  options: Partial<IntrospectionOptions>,
  context: Partial<IntrospectionContext> = {},
): Introspector =>
  parseIntrospection(
    { clientId: 'orders', authentication: { method: 'client_secret_basic', secret }, ...options },
    'introspection',
    { ...contextOf(issuer, clock), ...context },
  )

export const contextOf = (issuer: string, clock: TestClock): IntrospectionContext => ({
  issuer,
  keys: keysOf(issuer, []),
  algorithms: new Set(['ES256']),
  audiences: new Set(['https://orders.internal']),
  ca: undefined,
  clockToleranceSeconds: 30,
  mayUse: (url) => url.protocol === 'https:',
  clock,
  fetch: fetchDocument,
  newId: () => crypto.randomUUID(),
})

/** The keys of an issuer, as they are given in its options. One that nobody has the private half of is always there. */
export const keysOf = (issuer: string, keys: readonly object[]): KeySource =>
  new GivenKeys(issuer, { keys: [...keys, nobodysKey] }, 'jwks')

const nobodysKey = {
  kty: 'OKP',
  crv: 'Ed25519',
  kid: 'nobody',
  x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
}

/** An answer that is accepted; what is given replaces a member, and `undefined` leaves it out. */
export const activeAnswer = (clock: TestClock, changes: object = {}): Record<string, unknown> => ({
  active: true,
  client_id: 'checkout',
  sub: 'checkout',
  aud: 'https://orders.internal',
  scope: 'orders:read',
  token_type: 'Bearer',
  exp: clock.now() / 1000 + 300,
  ...changes,
})

/** `active`, or the code of the refusal. */
export const codeOfResult = (result: object): string => (result instanceof Refusal ? result.code : 'active')

/** What an issuer said of a token that it calls active. Throws where it was refused. */
export function activeOf(result: IntrospectedToken | Refusal): IntrospectedToken {
  if (result instanceof Refusal) throw new Error(`expected an active token, got ${result.code}`)
  return result
}

/** The refusal. Throws where there is none. */
export function refusalIn(result: object): Refusal {
  if (result instanceof Refusal) return result
  throw new Error('expected a refusal')
}

/** A fetch that is answered by the test, one question after the other. */
export function scriptedFetch(): {
  readonly fetch: FetchDocument
  readonly questions: { readonly url: URL; answer(body: object): void; fail(error: Error): void }[]
} {
  const questions: ReturnType<typeof scriptedFetch>['questions'] = []
  const fetch: FetchDocument = (url) =>
    new Promise((resolve, reject) => {
      questions.push({
        url,
        answer: (body) => resolve({ status: 200, headers: {}, octets: Buffer.from(JSON.stringify(body)) }),
        fail: reject,
      })
    })
  return { fetch, questions }
}

async function read(request: IncomingMessage): Promise<Asked> {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  await once(request, 'end')
  const { method, headers } = request
  return { method, headers, form: new URLSearchParams(Buffer.concat(chunks).toString()) }
}
