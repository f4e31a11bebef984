// A process of the demo: a real OAuth server over HTTPS. It runs twice, once for the shop and once outside.
import type { RequestListener } from 'node:http'
import { createServer } from 'node:https'
import { SignJWT, exportJWK, generateKeyPair, type JWTHeaderParameters, type JWTPayload } from 'jose'
import { answerCommands } from '../processes/commands.ts'
import { listen } from '../processes/listen.ts'
import { createProvider, type IssuerClient } from './provider.ts'

export interface IssuerSetup {
  /** Its name, as `iss` has it. */
  readonly issuer: string
  /** PEM of the server's own certificate and key. */
  readonly cert: string
  readonly key: string
  readonly clients: readonly IssuerClient[]
  readonly audiences: readonly string[]
}

/** What the demo can ask of an issuer. */
export interface IssuerCommands {
  /** Listens, and answers with its address. */
  start(setup: IssuerSetup): Promise<string>
  /**
   * Signs whatever it is given with the issuer's real key. An expired token would otherwise take an hour to get; no
   * issuer offers this to anybody, so it is here, on the demo's own channel, and not in the OAuth server.
   */
  mint(token: { readonly header: JWTHeaderParameters; readonly claims: JWTPayload }): Promise<string>
}

const { privateKey } = await generateKeyPair('ES256', { extractable: true })
const signingKey = { ...(await exportJWK(privateKey)), kid: 'key-1', alg: 'ES256', use: 'sig' }

answerCommands<IssuerCommands>({
  async start({ issuer, cert, key, clients, audiences }) {
    const handle: RequestListener = createProvider({ issuer, signingKey, clients, audiences }).callback()
    return listen(createServer({ cert, key }, handle))
  },
  mint: ({ header, claims }) => new SignJWT(claims).setProtectedHeader(header).sign(privateKey),
})
