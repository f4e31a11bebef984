// Glewlwyd: an authorization server in C, by people who know nothing of us. Debian's package, run from where it lies.
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import { createTestCa, type TestCa } from '@countersign/testing'
import { debianPackage } from '../../../scripts/debian-package.mjs'
import { send, type Answer } from '../../issuers/support/send.ts'
import { end, freePort, librariesIn } from './debian-process.ts'
import { configurationOf } from './glewlwyd-configuration.ts'

/** A running Glewlwyd, over HTTPS on loopback. Nothing is left of it when it was closed. */
export class Glewlwyd {
  /** The name of the issuer; its endpoints are below. */
  readonly issuer: string
  /** PEM of the authority behind its HTTPS certificate. */
  readonly ca: string
  readonly #origin: string
  readonly #process: ChildProcess
  readonly #folder: string
  #cookie = ''

  private constructor(origin: string, ca: TestCa, child: ChildProcess, folder: string) {
    this.#origin = origin
    this.issuer = `${origin}/api/oidc`
    this.ca = ca.bundle
    this.#process = child
    this.#folder = folder
  }

  /** Starts one that knows nobody. `clientCa`: the authority of client certificates. */
  static async start(clientCa: TestCa): Promise<Glewlwyd> {
    const parts = await debianPackage('glewlwyd')
    const ca = await createTestCa({ name: 'CA of Glewlwyd' })
    const port = await freePort()
    const folder = mkdtempSync(join(tmpdir(), 'glewlwyd-'))
    const origin = `https://localhost:${port}`
    await layOut(folder, parts)
    const { cert, key } = await ca.serverCertificate(['localhost'])
    for (const [name, content] of Object.entries({
      'server.crt': cert,
      'server.key': key,
      'clients.crt': clientCa.bundle,
      'glewlwyd.conf': configurationOf({ folder, parts, port, origin }),
    })) {
      writeFileSync(join(folder, name), content, { mode: 0o600 })
    }
    const child = spawn(join(parts, 'usr/bin/glewlwyd'), [`--config-file=${join(folder, 'glewlwyd.conf')}`], {
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, LD_LIBRARY_PATH: librariesIn(parts) },
    })
    const glewlwyd = new Glewlwyd(origin, ca, child, folder)
    try {
      await glewlwyd.#logIn()
      return glewlwyd
    } catch (error) {
      await glewlwyd.close()
      throw error
    }
  }

  /** Does what its administrator would do in its web page. */
  async administer(path: string, body: object): Promise<void> {
    const { status, body: answer } = await this.#post(path, body, { cookie: this.#cookie })
    if (status !== 200) throw new Error(`Glewlwyd answered ${status} to ${path}: ${answer}`)
  }

  async close(): Promise<void> {
    await end(this.#process)
    rmSync(this.#folder, { recursive: true, force: true })
  }

  // It is up when its administrator can log in, whose password is what it is when new.
  async #logIn(): Promise<void> {
    for (let tries = 0; tries < 500; tries += 1) {
      if (this.#process.exitCode !== null) throw new Error('Glewlwyd ended before it was up; see above')
      const login = this.#post('/auth/', { username: 'admin', password: 'password' })
      const answer = await login.catch(() => undefined)
      const cookies = answer?.headers['set-cookie']
      if (cookies !== undefined) {
        this.#cookie = cookies.map((cookie) => cookie.split(';')[0]).join('; ')
        return
      }
      await wait(20)
    }
    throw new Error('Glewlwyd did not come up')
  }

  #post(path: string, body: object, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return send(`${this.#origin}/api${path}`, {
      method: 'POST',
      ca: this.ca,
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    })
  }
}

/** Its database, as Debian's package makes it. */
async function layOut(folder: string, parts: string): Promise<void> {
  const { DatabaseSync } = await import('node:sqlite')
  const tables = readFileSync(join(parts, 'usr/share/doc/glewlwyd/database/init.sqlite3.sql.gz'))
  const database = new DatabaseSync(join(folder, 'glewlwyd.db'))
  database.exec(gunzipSync(tables).toString())
  database.close()
}
