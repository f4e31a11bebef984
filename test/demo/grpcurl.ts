// Does what grpcurl does with a line, for machines where it is not installed: the words are those that a shell makes of it.
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { Client, Metadata, credentials, type MethodDefinition } from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'

interface Answer {
  /** Of gRPC. */
  readonly status: number
  /** The message in JSON, or the details of a refusal. */
  readonly text: string
}

/** Runs a line in a folder. */
export async function runGrpcurl(line: string, folder: string): Promise<Answer> {
  const { values, positionals } = parseArgs({
    args: await wordsOf(line, folder),
    options: { cacert: text, cert: text, key: text, proto: text, H: text, d: text },
    allowPositionals: true,
  })
  const { cacert = '', cert, key = '', proto = '', H: header = '', d: message = '' } = values
  const file = (name: string): Buffer => readFileSync(join(folder, name))
  const [host = '', target = ''] = positionals
  const { path, requestSerialize, responseDeserialize } = methodIn(join(folder, proto), target)
  const identity = cert === undefined ? [] : ([file(key), file(cert)] as const)
  const client = new Client(host, credentials.createSsl(file(cacert), ...identity))
  const metadata = new Metadata()
  const [name = '', value] = header.split(': ')
  if (value !== undefined) metadata.add(name, value)
  const sent: object = JSON.parse(message)
  return new Promise((resolve) => {
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, sent, metadata, (error, answer) => {
      client.close()
      resolve({ status: error?.code ?? 0, text: error?.details ?? JSON.stringify(answer) })
    })
  })
}

const text = { type: 'string' } as const

// grpcurl has its flags with one dash, whatever their length.
async function wordsOf(line: string, folder: string): Promise<string[]> {
  const printed = line.replace('grpcurl', String.raw`printf '%s\n'`)
  const { stdout } = await promisify(execFile)('sh', ['-c', printed], { cwd: folder })
  return stdout
    .trimEnd()
    .split('\n')
    .map((word) => word.replace(/^-(?=\w)/, '--'))
}

function methodIn(proto: string, target: string): MethodDefinition<object, object> {
  const [service = '', name = ''] = target.split('/')
  const methods = loadSync(proto)[service] as Record<string, MethodDefinition<object, object>> | undefined // as the file says
  const method = methods?.[name]
  if (method === undefined) throw new Error(`${target} is not in ${proto}`)
  return method
}
