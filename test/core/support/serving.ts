// Certificate and key in files that a test replaces, and clients that say which certificate they were served with.
import { once } from 'node:events'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type ConnectionOptions, type Server } from 'node:tls'
import { X509Certificate } from 'node:crypto'
import { tlsChannel, type TlsEvent } from '@countersign/core'
import { createTestClock, type TestCa, type TestCertificate, type TestClock } from '@countersign/testing'

/** A certificate and its key in a directory of their own, which ends with the test. */
export class PairFiles implements AsyncDisposable {
  readonly cert: string
  readonly key: string
  readonly #directory: string

  private constructor(directory: string) {
    this.#directory = directory
    this.cert = join(directory, 'tls.crt')
    this.key = join(directory, 'tls.key')
  }

  static async create(pair: Pick<TestCertificate, 'cert' | 'key'>): Promise<PairFiles> {
    const files = new PairFiles(await mkdtemp(join(tmpdir(), 'countersign-')))
    await files.put(pair)
    return files
  }

  /** Each file at once, one after the other. */
  async put({ cert, key }: Partial<Pick<TestCertificate, 'cert' | 'key'>>): Promise<void> {
    if (cert !== undefined) await this.#put(this.cert, cert)
    if (key !== undefined) await this.#put(this.key, key)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#directory, { recursive: true })
  }

  async #put(path: string, text: string): Promise<void> {
    await writeFile(`${path}.new`, text)
    await rename(`${path}.new`, path)
  }
}

/** What is told on the channel of TLS servers, from here on. */
export class ServedEvents implements Disposable {
  readonly all: TlsEvent[] = []
  readonly #listener = (message: unknown): void => void this.all.push(message as TlsEvent) // only these are sent there

  constructor() {
    subscribe(tlsChannel, this.#listener)
  }

  /** Moves the clock on until so many events were told in all. */
  async reach(count: number, clock: PollingClock): Promise<void> {
    await moveUntil(() => this.all.length >= count, clock)
  }

  [Symbol.dispose](): void {
    unsubscribe(tlsChannel, this.#listener)
  }
}

/** A clock for files that are followed: it knows when none of them is being read, and how often they were. */
export interface PollingClock extends TestClock {
  readonly polls: number
  /** Resolves when nothing is being read. Files that are put in place until the clock moves on are read as a whole. */
  settled(): Promise<void>
}

export function createPollingClock(): PollingClock {
  const clock = createTestClock(new Date())
  // The first reading is not planned. Whatever reads plans the next reading when it has ended.
  const file = { isReading: true }
  let polls = 0
  return {
    ...clock,
    get polls() {
      return polls
    },
    async settled() {
      while (file.isReading) await turn()
    },
    schedule(task, delayMs) {
      file.isReading = false
      polls += 1
      return clock.schedule(() => {
        file.isReading = true
        task()
      }, delayMs)
    },
  }
}

/** Moves the clock on until files were read several times more. */
export async function pollSeveralTimes(clock: PollingClock): Promise<void> {
  const before = clock.polls
  await moveUntil(() => clock.polls >= before + 4, clock)
}

async function moveUntil(isReached: () => boolean, clock: PollingClock): Promise<void> {
  for (let polls = 0; !isReached(); polls += 1) {
    if (polls === 50) throw new Error('expected something to happen that did not')
    clock.advance(2000)
    await clock.settled()
  }
}

/** Lets everything happen that is ready to. */
export async function turn(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  setImmediate(resolve)
  await promise
}

export async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port // it listens on a port
}

/** SHA-256 of a certificate, as events have it. */
export const fingerprintOf = ({ der }: { readonly der: Uint8Array }): string =>
  new X509Certificate(der).fingerprint256

/** SHA-256 of the certificate that a new handshake is served with. Without a name, it is one by IP address. */
export async function servedAt(port: number, ca: TestCa, servername?: string): Promise<string | undefined> {
  const options: ConnectionOptions = { host: '127.0.0.1', port, ca: ca.bundle }
  const socket = connect(servername === undefined ? options : { ...options, servername })
  await once(socket, 'secureConnect')
  const fingerprint = socket.getPeerX509Certificate()?.fingerprint256
  socket.destroy()
  return fingerprint
}
