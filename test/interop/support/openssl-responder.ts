// OpenSSL's own OCSP responder, told by files what is revoked.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { end } from './debian-process.ts'

/** PEM of a certificate and of its key. */
export interface PemPair {
  readonly cert: string
  readonly key: string
}

interface ResponderOptions {
  readonly ca: PemPair
  /** Who signs: the CA itself, or its delegate. */
  readonly signer: PemPair
  /** OpenSSL's database of what was issued. */
  readonly index: string
  /** Such as `-rkey`, or `-nmin 5`. */
  readonly more?: readonly string[]
}

/** A running `openssl ocsp`, which every machine that runs this has. */
export class OpensslResponder {
  readonly url: URL
  readonly #child: ChildProcess
  readonly #folder: string

  private constructor(url: URL, child: ChildProcess, folder: string) {
    this.url = url
    this.#child = child
    this.#folder = folder
  }

  static async start({ ca, signer, index, more = [] }: ResponderOptions): Promise<OpensslResponder> {
    const folder = mkdtempSync(join(tmpdir(), 'ocsp-'))
    const file = (name: string, content: string): string => {
      writeFileSync(join(folder, name), content, { mode: 0o600 })
      return join(folder, name)
    }
    const files = ['-index', file('index.txt', index), '-CA', file('ca.pem', ca.cert)]
    const keys = ['-rsigner', file('signer.pem', signer.cert), '-rkey', file('signer.key', signer.key)]
    const child = spawn('openssl', ['ocsp', ...files, ...keys, '-port', '0', '-text', ...more], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    try {
      const port = await portOf(child)
      return new OpensslResponder(new URL(`http://127.0.0.1:${port}/`), child, folder)
    } catch (error) {
      await end(child)
      rmSync(folder, { recursive: true, force: true })
      throw error
    }
  }

  async close(): Promise<void> {
    await end(this.#child)
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

// It says `ACCEPT 0.0.0.0:41234 PID=…` when it listens.
async function portOf(child: ChildProcess): Promise<string> {
  let said = ''
  const failed = once(child, 'close').then(() => {
    throw new Error(`openssl ocsp ended: ${said}`)
  })
  const listening = new Promise<string>((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        said += chunk.toString()
        const [, port] = /ACCEPT [^\n]*:(\d+)(?: |\n)/.exec(said) ?? []
        if (port !== undefined) resolve(port)
      })
    }
  })
  return Promise.race([listening, failed])
}
