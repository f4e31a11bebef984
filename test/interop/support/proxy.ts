// A proxy that nobody here wrote, in front of a service: Debian's package, run from where it lies.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { TestCa, TestCertificate } from '@countersign/testing'
import { debianPackage } from '../../../scripts/debian-package.mjs'
import { end, freePort, librariesIn } from './debian-process.ts'
import type { ProxyKind } from './proxy-configuration.ts'

export interface ProxyAnswer {
  readonly status: number
  readonly body: string
}

/** A running proxy. Nothing is left of it when it was closed. */
export class Proxy {
  readonly #process: ChildProcess
  readonly #folder: string
  readonly #port: number
  readonly #ca: TestCa

  private constructor(child: ChildProcess, folder: string, port: number, ca: TestCa) {
    this.#process = child
    this.#folder = folder
    this.#port = port
    this.#ca = ca
  }

  /** Starts one that asks its clients for certificates of `ca`, and calls a service by a port, or by the path of a socket. */
  static async start(kind: ProxyKind, ca: TestCa, gateway: TestCertificate, service: string): Promise<Proxy> {
    const parts = await debianPackage(kind.name)
    const port = await freePort()
    const folder = mkdtempSync(join(tmpdir(), `${kind.name}-`))
    chmodSync(folder, 0o755)
    const { cert, key } = await ca.serverCertificate(['localhost', '127.0.0.1'])
    const place = { folder, parts, port, service }
    const file = join(folder, 'configuration')
    for (const [name, content] of Object.entries({
      'server.crt': cert,
      'server.key': key,
      'server.pem': `${cert}${key}`,
      'gateway.crt': gateway.cert,
      'gateway.key': gateway.key,
      'roots.crt': ca.bundle,
      configuration: kind.configuration(place),
    })) {
      writeFileSync(join(folder, name), content)
    }
    const child = spawn(join(parts, kind.program), kind.arguments(file, place), {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, HOME: folder, LD_LIBRARY_PATH: librariesIn(parts) },
    })
    const proxy = new Proxy(child, folder, port, ca)
    await proxy.#isUp(kind)
    return proxy
  }

  /** Calls the service through the proxy, with a certificate or without one. */
  async call(client?: TestCertificate, headers: Readonly<Record<string, string>> = {}): Promise<ProxyAnswer> {
    const sent = request({
      host: '127.0.0.1',
      port: this.#port,
      servername: 'localhost',
      path: '/',
      ca: this.#ca.bundle,
      agent: false,
      headers: { host: `localhost:${this.#port}`, ...headers },
      ...(client === undefined ? {} : { cert: client.cert, key: client.key }),
    })
    sent.end()
    const [response] = await once(sent, 'response')
    const chunks: Buffer[] = []
    for await (const chunk of response) chunks.push(chunk)
    return { status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }
  }

  async close(): Promise<void> {
    await end(this.#process)
    rmSync(this.#folder, { recursive: true, force: true })
  }

  async #isUp({ name }: ProxyKind): Promise<void> {
    for (let tries = 0; tries < 500; tries += 1) {
      if (this.#process.exitCode !== null) throw new Error(`${name} ended before it was up; see above`)
      if (await answers(this.#port)) return
      await wait(20)
    }
    await this.close()
    throw new Error(`${name} did not come up`)
  }
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
