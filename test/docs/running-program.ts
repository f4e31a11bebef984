// Programs from the documents, run as their readers would run them.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import type { ClientRequest, IncomingMessage } from 'node:http'
import { Workshop } from './workshop.ts'

export interface Running {
  /** The port that it listens on: one that the system chose, whichever the program asks for. */
  readonly port: number
  /** The refusal code of a decision of its guard, by the id that a refused caller is given. */
  refusalOf(decision: string): Promise<string>
  /** The refusal code of the next decision that its guard denies. */
  nextRefusal(): Promise<string>
  /** Ends it. */
  [Symbol.asyncDispose](): Promise<void>
}

export interface Surroundings {
  /** Files beside the program: name → text. */
  readonly files?: Readonly<Record<string, string>>
  /** PEM of a certificate authority that it trusts beside the public ones. */
  readonly ca?: string
}

/** Runs a program as its reader would: saved as `server.mjs`, in a folder of its own. Resolves when it listens. */
export async function start(program: string, { files = {}, ca = '' }: Surroundings = {}): Promise<Running> {
  const workshop = new Workshop()
  for (const [name, text] of Object.entries(files)) workshop.write(name, text)
  const child = fork(workshop.write('server.mjs', program), {
    cwd: workshop.folder,
    execArgv: ['--import', workshop.write('watch.mjs', watch)],
    env: { ...process.env, ...(ca === '' ? {} : { NODE_EXTRA_CA_CERTS: workshop.write('ca.pem', ca) }) },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  const said: Buffer[] = []
  child.stderr?.on('data', (chunk: Buffer) => said.push(chunk))
  const refusals = new Map<string, PromiseWithResolvers<string>>()
  const refusal = (id: string): PromiseWithResolvers<string> => {
    const known = refusals.get(id) ?? Promise.withResolvers<string>()
    refusals.set(id, known)
    return known
  }
  const listening = Promise.withResolvers<number | undefined>()
  let next = Promise.withResolvers<string>()
  child.on('message', (message: Message) => {
    if ('port' in message) return listening.resolve(message.port)
    refusal(message.decision).resolve(message.code)
    next.resolve(message.code)
    next = Promise.withResolvers<string>()
  })
  const exited = once(child, 'exit').finally(() => listening.resolve(undefined))
  const port = await listening.promise
  if (port === undefined) {
    workshop[Symbol.dispose]()
    throw new Error(`the program ended before it listened:\n${Buffer.concat(said).toString()}`)
  }
  return {
    port,
    refusalOf: (decision) => refusal(decision).promise,
    nextRefusal: () => next.promise,
    async [Symbol.asyncDispose]() {
      child.kill()
      await exited
      workshop[Symbol.dispose]()
    },
  }
}

type Message = { readonly port: number } | { readonly decision: string; readonly code: string }

const watch = `
  import { subscribe } from 'node:diagnostics_channel'
  import { Server } from 'node:net'
  const { listen } = Server.prototype
  Server.prototype.listen = function (place, ...others) {
    this.once('listening', () => process.send({ port: this.address().port }))
    return listen.call(this, typeof place === 'object' ? { ...place, port: 0 } : 0, ...others)
  }
  subscribe('countersign:decision', ({ id, code }) => {
    if (code !== null) process.send({ decision: id, code })
  })
`

export interface Answer {
  readonly status: number | undefined
  readonly challenge: string | undefined
  readonly text: string
}

export async function answerOf(sent: ClientRequest): Promise<Answer> {
  const [response]: IncomingMessage[] = await once(sent, 'response')
  if (response === undefined) throw new Error('expected a response')
  const text = Buffer.concat(await response.toArray()).toString()
  return { status: response.statusCode, challenge: response.headers['www-authenticate'], text }
}
