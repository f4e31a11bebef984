// A provider in a process of its own, which can be killed, and started again as what it was.
import { RemoteProcess } from '../../../examples/mesh-demo/src/processes/remote-process.ts'
import type { IssuerState } from '../../issuers/support/real-issuer.ts'
import type { TokenSource } from '../../issuers/support/oauth-client.ts'
import type { IssuerCommands } from './issuer-child.ts'

export class IssuerProcess implements TokenSource {
  readonly issuer: string
  readonly ca: string
  /** The path of every request that it was asked, in order, whichever process answered. */
  readonly asked: string[] = []
  readonly #maxAgeSeconds: number | undefined
  #state: IssuerState
  #process: RemoteProcess<IssuerCommands, string>

  private constructor(
    process: RemoteProcess<IssuerCommands, string>,
    state: IssuerState,
    maxAgeSeconds: number | undefined,
  ) {
    this.issuer = `https://localhost:${state.port}`
    this.ca = state.tls.ca
    this.#process = process
    this.#state = state
    this.#maxAgeSeconds = maxAgeSeconds
    this.#listen()
  }

  /** `maxAgeSeconds`: what it says of its keys in `Cache-Control`. Default: nothing. */
  static async start(maxAgeSeconds?: number): Promise<IssuerProcess> {
    const process = fork()
    const state = await process.ask('start', { maxAgeSeconds })
    return new IssuerProcess(process, state, maxAgeSeconds)
  }

  async publishKey(kid: string): Promise<void> {
    this.#state = await this.#process.ask('publishKey', kid)
  }

  async signWith(kid: string): Promise<void> {
    this.#state = await this.#process.ask('signWith', kid)
  }

  async withdrawKey(kid: string): Promise<void> {
    this.#state = await this.#process.ask('withdrawKey', kid)
  }

  /** Ends it by SIGKILL. */
  async kill(): Promise<void> {
    await this.#process.close()
  }

  /** Starts it again on its port, with its keys. */
  async revive(): Promise<void> {
    this.#process = fork()
    this.#listen()
    await this.#process.ask('start', { maxAgeSeconds: this.#maxAgeSeconds, state: this.#state })
  }

  async close(): Promise<void> {
    await this.#process.close()
  }

  #listen(): void {
    this.#process.onNotice = (path) => void this.asked.push(path)
  }
}

const fork = (): RemoteProcess<IssuerCommands, string> =>
  new RemoteProcess('issuer', new URL('issuer-child.ts', import.meta.url), false)
