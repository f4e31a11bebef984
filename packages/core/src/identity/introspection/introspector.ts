import { hash } from 'node:crypto'
import type { Clock } from '../../clock/clock.ts'
import { Refusal, refusalOf } from '../../refusal.ts'
import { parseJsonObject } from '../jws/json-object.ts'
import { AskedServer } from '../trust/asked-server.ts'
import { UnexpectedStatus, type FetchDocument, type FetchedDocument } from '../trust/fetch-document.ts'
import type { KeySource } from '../trust/key-source.ts'
import { BoundedFlight } from './bounded-flight.ts'
import type { ClientAuthentication } from './client-authentication.ts'
import { InactiveTokens } from './inactive-tokens.ts'
import { parseAnswer, type ActiveAnswer } from './introspection-answer.ts'
import { DiscoveredEndpoint } from './introspection-endpoint.ts'
import { whyNotSendable } from './sendable-token.ts'
import { signedAnswerType, verifySignedAnswer } from './signed-answer.ts'
import { unanswered } from './unanswered.ts'

/** What an issuer says of a token that it calls active. Its time, and `aud` if there is one, are still to be checked. */
export interface IntrospectedToken extends Pick<ActiveAnswer, 'claims' | 'boundBy'> {
  /** Milliseconds since the epoch, until when the answer may be relied on without asking again. */
  readonly cacheUntilMs: number
}

export interface IntrospectorOptions {
  readonly issuer: string
  /** Where it answers, or where to find out. */
  readonly endpoint: URL | { readonly metadataUrl: URL | undefined }
  readonly mayUse: (url: URL) => boolean
  readonly ca: string | undefined
  readonly authentication: ClientAuthentication
  /** Whether answers must be signed (RFC 9701), and by what. */
  readonly signature:
    | { readonly keys: Pick<KeySource, 'find'>; readonly algorithms: ReadonlySet<string> }
    | undefined
  readonly clockToleranceSeconds: number
  /** What tokens for this service are meant for: signed answers may name it so. */
  readonly audiences: ReadonlySet<string>
  /** Clients whose tokens are accepted where the answer names no audience. */
  readonly clients: ReadonlySet<string>
  /** For how long an answer may be relied on, at most. */
  readonly cacheMs: number
  readonly maxConcurrent: number
  readonly clock: Clock
  readonly fetch: FetchDocument
}

/** Asks one authorization server what its tokens mean (RFC 7662, RFC 9701). */
export class Introspector {
  readonly #options: IntrospectorOptions
  readonly #server: AskedServer
  readonly #endpoint: { find(): URL | Promise<URL> }
  readonly #inactive = new InactiveTokens()
  readonly #flight: BoundedFlight<IntrospectedToken | Refusal>

  constructor(options: IntrospectorOptions) {
    const { issuer, endpoint, mayUse, ca, authentication, maxConcurrent, clock, fetch } = options
    this.#options = options
    this.#server = new AskedServer(fetch, clock)
    this.#endpoint =
      endpoint instanceof URL
        ? { find: () => endpoint }
        : new DiscoveredEndpoint({
            issuer,
            url: endpoint.metadataUrl,
            mayUse,
            isMutualTls: authentication.method === 'mtls',
            ask: (url) => this.#server.ask(url, { ca }),
            clock,
          })
    this.#flight = new BoundedFlight({ issuer, maxConcurrent, clock })
  }

  /** What the issuer says of a token. Never rejects; every answer is this issuer's and nobody else's. */
  async introspect(token: string): Promise<IntrospectedToken | Refusal> {
    const whyNot = whyNotSendable(token)
    if (whyNot !== undefined) return refusalOf(this.#options.issuer, whyNot)
    const digest = hash('sha256', token, 'base64url')
    const known = this.#inactive.find(digest, this.#options.clock.now())
    return known ?? this.#flight.run(digest, () => this.#ask(token, digest))
  }

  /** Resolves when all that the first question needs was made ready, well or badly. */
  async prepared(): Promise<void> {
    await Promise.allSettled([this.#endpoint.find(), this.#options.authentication.credentials()])
  }

  /** Ends what is under way. */
  close(): void {
    this.#server.close()
  }

  async #ask(token: string, digest: string): Promise<IntrospectedToken | Refusal> {
    const { issuer, clients, cacheMs, clock } = this.#options
    const askedAt = clock.now()
    const members = await this.#membersFor(token)
    const answer = members instanceof Refusal ? members : parseAnswer(members, { issuer, clients })
    if (!(answer instanceof Refusal)) {
      const { claims, boundBy, exp } = answer
      return Object.freeze({ claims, boundBy, cacheUntilMs: Math.min(exp * 1000, askedAt + cacheMs) })
    }
    const refusal = refusalOf(issuer, answer)
    // T31: only that the token is inactive is remembered, never that it could not be found out.
    if (refusal.code === 'token_inactive') this.#inactive.remember(digest, refusal, clock.now())
    return refusal
  }

  async #membersFor(token: string): Promise<Readonly<Record<string, unknown>> | Refusal> {
    const { signature, authentication, clock } = this.#options
    try {
      const document = await this.#post(token)
      // Answers are remembered by the thousand, so each has to stay small.
      if (document.octets.length > maxOctets) return tooLong
      if (signature !== undefined) {
        const expected = { ...this.#options, ...signature, clientId: authentication.clientId }
        return await verifySignedAnswer(document, expected, clock.now())
      }
      return (
        parseJsonObject(document.octets) ??
        new Refusal('introspection_malformed', { expected: 'a JSON object', actual: 'something else' })
      )
    } catch (error) {
      return unanswered('introspection_unavailable', error, adviceFor(authentication))
    }
  }

  async #post(token: string): Promise<FetchedDocument> {
    const { authentication, signature, ca } = this.#options
    const url = await this.#endpoint.find()
    const { headers, form, tls } = await authentication.credentials()
    const document = await this.#server.ask(url, {
      ca,
      ...tls,
      headers: {
        ...headers,
        accept: signature === undefined ? 'application/json' : signedAnswerType,
        'content-type': 'application/x-www-form-urlencoded',
      },
      body: new URLSearchParams({ token, token_type_hint: 'access_token', ...form }).toString(),
    })
    if (document.status !== 200) throw new UnexpectedStatus(document.status)
    return document
  }
}

const maxOctets = 64 * 1024
const tooLong = new Refusal('introspection_malformed', {
  expected: `an answer of at most ${maxOctets} bytes`,
  actual: 'a longer one',
})

const adviceFor = ({ method }: ClientAuthentication) => ({
  expected: 'an answer of the introspection endpoint',
  whenRefused:
    'this service could not authenticate: check that the authorization server knows `clientId`, lets it introspect, ' +
    `and has it registered for ${method} with this very key or secret. Servers that introspect opaque tokens alone ` +
    'answer so to a JWT',
  whenSilent:
    'check that this service reaches the authorization server, and `ca` where its certificate is private',
})
