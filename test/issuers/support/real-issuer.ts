// A provider on a port of loopback, whose keys can be changed, and which can be ended and started again.
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import { createTestCa, type TestCa } from '@countersign/testing'
import { SignJWT, exportJWK, generateKeyPair, importJWK, type JWK, type JWTPayload } from 'jose'
import type { AdapterFactory, ClientMetadata } from 'oidc-provider'
import { clients } from './clients.ts'
import { answerInteraction } from './log-in.ts'
import { createProvider } from './provider.ts'
import { createProviderStore } from './provider-store.ts'

export interface RealIssuerOptions {
  /** The authority of client certificates, for those who authenticate by one. */
  readonly clientCa?: TestCa
  /** Clients beside those that it always knows. */
  readonly moreClients?: readonly ClientMetadata[]
  /** Goes on where another one ended. */
  readonly state?: IssuerState
  /** What it says of its keys in `Cache-Control`. Default: nothing, as the provider does by itself. */
  readonly maxAgeSeconds?: number
}

/** All that makes an issuer itself: another process can go on with it. */
export interface IssuerState {
  readonly port: number
  /** PEM of its HTTPS certificate, of the key, and of the authority behind it. */
  readonly tls: { readonly cert: string; readonly key: string; readonly ca: string }
  readonly keys: readonly JWK[]
  readonly signWith: string
}

type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>

/** A real authorization server over HTTPS. */
export class RealIssuer {
  /** Its name, and its address. */
  readonly issuer: string
  /** PEM of the authority behind its HTTPS certificate. */
  readonly ca: string
  /** Told of every request. */
  onAsked: (path: string) => void = () => undefined
  /** The path of every request that it was asked, in order. */
  readonly asked: string[] = []
  readonly #server: Server
  readonly #port: number
  readonly #tls: IssuerState['tls']
  readonly #store: AdapterFactory = createProviderStore()
  readonly #options: RealIssuerOptions
  #keys: readonly JWK[] = []
  #signWith = ''
  #handle: Handler = () => Promise.reject(new Error('expected keys'))

  private constructor(server: Server, port: number, tls: IssuerState['tls'], options: RealIssuerOptions) {
    this.#server = server
    this.#port = port
    this.#tls = tls
    this.ca = tls.ca
    this.issuer = `https://localhost:${port}`
    this.#options = options
    const { maxAgeSeconds } = options
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      const [path = ''] = (request.url ?? '').split('?')
      this.asked.push(path)
      this.onAsked(path)
      if (path === '/jwks' && maxAgeSeconds !== undefined) {
        response.setHeader('cache-control', `max-age=${maxAgeSeconds}`)
      }
      this.#handle(request, response).catch((error: unknown) => response.destroy(error as Error)) // whatever it is
    })
  }

  /** Starts one, with a first key `key-1`. */
  static async start(options: RealIssuerOptions = {}): Promise<RealIssuer> {
    const { clientCa, state } = options
    const tls = state?.tls ?? (await newTls())
    const trust =
      clientCa === undefined ? {} : { ca: clientCa.bundle, requestCert: true, rejectUnauthorized: false }
    const server = createServer({ cert: tls.cert, key: tls.key, ...trust })
    const port = await listen(server, state?.port ?? 0)
    const issuer = new RealIssuer(server, port, tls, options)
    if (state === undefined) {
      await issuer.publishKey('key-1')
      issuer.signWith('key-1')
    } else {
      issuer.#change(state.keys, state.signWith)
    }
    return issuer
  }

  /** The guard's options for it. */
  get trusted(): { readonly issuer: string; readonly ca: string } {
    return { issuer: this.issuer, ca: this.ca }
  }

  get state(): IssuerState {
    return { port: this.#port, tls: this.#tls, keys: this.#keys, signWith: this.#signWith }
  }

  /** Publishes a new key beside the others. It signs nothing yet. */
  async publishKey(kid: string): Promise<void> {
    const { privateKey } = await generateKeyPair('ES256', { extractable: true })
    this.#change([...this.#keys, { ...(await exportJWK(privateKey)), kid, alg: 'ES256', use: 'sig' }])
  }

  /** Signs with this key from now on. */
  signWith(kid: string): void {
    this.#change(this.#keys, kid)
  }

  withdrawKey(kid: string): void {
    this.#change(this.#keys.filter((key) => key.kid !== kid))
  }

  /** Signs claims as they are, for tokens that the provider does not issue. */
  async mint(claims: JWTPayload): Promise<string> {
    const key = this.#keys.find(({ kid }) => kid === this.#signWith) ?? {}
    return new SignJWT({ iss: this.issuer, ...claims })
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: this.#signWith })
      .setIssuedAt()
      .setExpirationTime('1h')
      .sign(await importJWK(key, 'ES256'))
  }

  /** Ends it: its port refuses connections from here on. */
  async kill(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }

  /** Starts it again under the same name, with the same keys. */
  async revive(): Promise<void> {
    await listen(this.#server, this.#port)
  }

  async close(): Promise<void> {
    if (this.#server.listening) await this.kill()
  }

  // A provider's keys are fixed: another one takes its place.
  #change(keys: readonly JWK[], signWith = this.#signWith): void {
    this.#keys = keys
    this.#signWith = signWith
    if (!keys.some(({ kid }) => kid === signWith)) return
    const provider = createProvider({
      issuer: this.issuer,
      keys,
      signWith,
      clients: [...clients, ...(this.#options.moreClients ?? [])],
      store: this.#store,
    })
    const callback = provider.callback()
    this.#handle = async (request, response) => {
      if (!(await answerInteraction(provider, request, response))) await callback(request, response)
    }
  }
}

async function newTls(): Promise<IssuerState['tls']> {
  const ca = await createTestCa({ name: 'CA of the issuer' })
  const { cert, key } = await ca.serverCertificate(['localhost'])
  return { cert, key, ca: ca.bundle }
}

async function listen(server: Server, port: number): Promise<number> {
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('expected the server to have a port')
  return address.port
}
