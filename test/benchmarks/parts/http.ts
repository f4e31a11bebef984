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
  readonly connections: number
  readonly groups: readonly Group[]
}

/** Contenders that are measured together, beside the framework itself. */
interface Group {
  readonly plan: Plan
  has(name: string): boolean
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
      const { services, close } = await startServices(framework, names, {
        signer,
        jwksUri: keys.url,
        isTogether: plan.times < 100,
      })
      try {
        for (const traffic of traffics) {
          const rows: Row[] = []
          for (const group of traffic.groups) rows.push(...(await measure(traffic, group, services)))
          tables.push({
            part: 'http',
            title: `${framework}, ${traffic.title}`,
            unit: `CPU of the server for each request to the same service without a guard (kept-alive connections: ${traffic.connections})`,
            rows,
          })
        }
      } finally {
        close()
      }
    }
  } finally {
    keys.close()
  }
  return tables
}

function trafficsOf({ rounds, times }: Plan, signer: Signer): readonly Traffic[] {
  // In long slices: a process that others have been running before starts with caches that are theirs.
  const quick: Group = { plan: { rounds, times: times * 2 }, has: (name) => remembers.test(name) }
  const slow: Group = {
    plan: { rounds: Math.ceil(rounds / 3), times: Math.ceil(times / 2) },
    has: (name) => !remembers.test(name),
  }
  const cold: Group = { plan: slow.plan, has: (name) => name !== bareAgain }
  // More than anybody here remembers, so that each is forgotten when it comes again.
  const neverSeen = requestsWith(Math.ceil(times * 4.8), signer)
  return [
    {
      title: 'one token on all connections',
      requests: requestsWith(1, signer),
      isWarm: true,
      connections: 32,
      groups: [quick, slow],
    },
    {
      title: `${times / 2} tokens in rotation`,
      requests: requestsWith(times / 2, signer),
      isWarm: true,
      connections: 32,
      // For the others it is nothing new.
      groups: [quick],
    },
    {
      title: 'tokens that were never seen',
      requests: neverSeen,
      isWarm: false,
      connections: 32,
      groups: [cold],
    },
    {
      // As most services are called: the server has time for each.
      title: 'tokens that were never seen, one request at a time',
      requests: neverSeen,
      isWarm: false,
      connections: 1,
      groups: [cold],
    },
  ]
}

/** What costs about as much as the framework by itself. */
const remembers = /^(?:an empty|the same|Countersign|.*, cache$)/

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

async function measure(
  { requests, isWarm, connections }: Traffic,
  { plan, has }: Group,
  services: readonly Service[],
): Promise<readonly Row[]> {
  const taking = services.filter(({ name }) => name === 'bare' || has(name))
  const rounds = await takeTurns(
    taking.map((service) =>
      contender(
        service,
        service.name.startsWith('hono jwk') ? requests.untyped : requests.all,
        isWarm,
        connections,
        plan.times * 3,
      ),
    ),
    plan,
  )
  return taking.filter(({ name }) => name !== 'bare').map(({ name }) => rowOf(rounds, name))
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
  connectionCount: number,
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
