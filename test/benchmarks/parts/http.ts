import { openAll, requestWith, sendAll } from '../load.ts'
import { ratio, takeTurns, type Contender, type Plan, type Round } from '../measure.ts'
import type { Row, Table } from '../report.ts'
import { bareAgain, frameworks, type FrameworkName } from '../servers/contract.ts'
import { serveKeys, startServices, type Service } from '../serving.ts'
import { createSigner, type Signer } from '../tokens.ts'

const verifiers = ['jose 6, local JWKS', 'fast-jwt 6, no cache', 'fast-jwt 6, cache']

/** Who is measured on which framework, beside the framework itself. */
const contenders: Readonly<Record<FrameworkName, readonly string[]>> = {
  'node-http': ['Countersign', ...verifiers],
  express: [
    'Countersign',
    ...verifiers,
    'express-oauth2-jwt-bearer',
    'express-jwt + jwks-rsa',
    'passport-jwt + jwks-rsa',
  ],
  koa: ['Countersign', ...verifiers, 'koa-jwt + jwks-rsa'],
  fastify: ['Countersign', ...verifiers, '@fastify/jwt, cache', '@fastify/jwt, no cache'],
  // Any middleware costs it the way that it has for a single handler.
  hono: ['an empty middleware', 'Countersign', 'Countersign, guardHandlers', ...verifiers, 'hono jwk, keys'],
}

/** Which tokens come, by how many requests each is sent. */
interface Traffic {
  readonly title: string
  readonly requests: Requests
  /** Whether they were sent before. */
  readonly isWarm: boolean
  readonly plan: Plan
  takesPart(name: string): boolean
}

/** Guarded services beside the same ones without a guard: the CPU that each request takes of the server. */
export async function http(plan: Plan): Promise<readonly Table[]> {
  const signer = createSigner('RS256')
  const traffics = trafficsOf(plan, signer)
  const keys = await serveKeys(signer)
  const tables: Table[] = []
  try {
    for (const framework of frameworks) {
      const names = ['bare', bareAgain, ...contenders[framework]]
      const rounds: (readonly Round[])[] = []
      // Twice anew: in how far a process runs well is a matter of luck, and stays so until it ends.
      for (let start = 0; start < 2; start += 1) {
        const { services, close } = await startServices(framework, names, {
          signer,
          jwksUri: keys.url,
          isTogether: plan.times < 100,
        })
        try {
          for (const traffic of traffics) rounds.push(await measure(traffic, services))
        } finally {
          close()
        }
      }
      const namesIn = ({ takesPart }: Traffic): readonly string[] =>
        names.filter((name) => name !== 'bare' && takesPart(name))
      traffics.forEach((traffic, i) => {
        const all = rounds.filter((_, at) => at % traffics.length === i).flat()
        tables.push({
          part: 'http',
          title: `${framework}, ${traffic.title}`,
          unit: `CPU of the server for each request to the same service without a guard (${connectionCount} connections)`,
          rows: namesIn(traffic).map((name) => rowOf(all, name)),
        })
      })
    }
  } finally {
    keys.close()
  }
  return tables
}

function trafficsOf({ rounds, times }: Plan, signer: Signer): readonly Traffic[] {
  const warm = { rounds, times }
  const cold = { rounds: Math.ceil(rounds / 2), times: Math.ceil(times / 2) }
  return [
    {
      title: 'one token on all connections',
      requests: requestsWith(1, signer),
      isWarm: true,
      plan: warm,
      takesPart: () => true,
    },
    {
      title: `${times / 2} tokens in rotation`,
      requests: requestsWith(times / 2, signer),
      isWarm: true,
      plan: warm,
      // For the others it is nothing new.
      takesPart: (name) => /^(?:bare|an empty|the same|Countersign|.*, cache$)/.test(name),
    },
    {
      title: 'tokens that were never seen',
      // More than anybody here remembers, so that each is forgotten when it comes again.
      requests: requestsWith(Math.ceil(times * 4.8), signer),
      isWarm: false,
      plan: cold,
      takesPart: (name) => name !== bareAgain,
    },
  ]
}

interface Requests {
  readonly all: readonly Buffer[]
  /** For `hono/jwk`, which refuses the type `at+jwt` of RFC 9068. */
  readonly untyped: readonly Buffer[]
}

/** Each with a token of its own. */
function requestsWith(count: number, signer: Signer): Requests {
  const make = (header: object): readonly Buffer[] =>
    Array.from({ length: count }, () => requestWith(signer.token({}, header)))
  return { all: make({}), untyped: make({ typ: undefined }) }
}

function measure(
  { requests, isWarm, plan, takesPart }: Traffic,
  services: readonly Service[],
): Promise<readonly Round[]> {
  const taking = services.filter(({ name }) => takesPart(name))
  return takeTurns(
    taking.map((service) =>
      contender(
        service,
        service.name.startsWith('hono jwk') ? requests.untyped : requests.all,
        isWarm,
        plan.times * 4,
      ),
    ),
    plan,
  )
}

const rowOf = (rounds: readonly Round[], name: string): Row => ({
  ...ratio(rounds, name, 'cpu', 'bare'),
  throughput: ratio(rounds, name, 'throughput', 'bare').median,
})

/** Each of the requests in turn, from where the round before has stopped. */
function contender(
  { name, port, cpu }: Service,
  requests: readonly Buffer[],
  isWarm: boolean,
  warmUp: number,
): Contender {
  let next = 0
  let isReady = false
  const request = (): Buffer => requests[next++ % requests.length] ?? Buffer.alloc(0)
  return {
    name,
    async prepare() {
      const connections = await openAll(port, connectionCount)
      // What fetches keys does so with its first request.
      if (!isReady) await sendAll(connections.slice(0, 1), 1, () => requests.at(-1) ?? Buffer.alloc(0))
      // Compiled as far as it will be, too.
      if (!isReady) await sendAll(connections, (isWarm ? requests.length : 0) + warmUp, request)
      isReady = true
      return {
        async run(times) {
          const before = await cpu()
          const seconds = await sendAll(connections, times, request)
          return { cpu: (await cpu()) - before, throughput: times / seconds }
        },
        close() {
          for (const connection of connections) connection.close()
        },
      }
    },
  }
}

const connectionCount = 32
