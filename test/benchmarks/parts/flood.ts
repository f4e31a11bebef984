import { bareSignatures } from '../contenders/limits.ts'
import { call, open, openAll, requestWith, type Connection } from '../load.ts'
import { ratio, takeTurns, type Contender, type Costs, type Plan } from '../measure.ts'
import type { Table } from '../report.ts'
import type { FrameworkName } from '../servers/contract.ts'
import { serveKeys, startServices, type Service } from '../serving.ts'
import { createSigner, type Signer } from '../tokens.ts'

const contenders: readonly (readonly [FrameworkName, readonly string[]])[] = [
  [
    'express',
    [
      'Countersign',
      'jose 6, local JWKS',
      'fast-jwt 6, cache',
      'express-oauth2-jwt-bearer',
      'express-jwt + jwks-rsa',
    ],
  ],
  ['fastify', ['Countersign', 'fast-jwt 6, cache', '@fastify/jwt, cache']],
]

/** What others have of a service while 32 connections send it forged signatures, each as fast as it is answered. */
export async function flood({ rounds, times }: Plan): Promise<readonly Table[]> {
  const signer = createSigner('RS256')
  const keys = await serveKeys(signer)
  const tables: Table[] = []
  const plan = { rounds: Math.ceil(rounds / 3), times: Math.max(10, times / 20) }
  try {
    for (const [framework, names] of contenders) {
      const { services, close } = await startServices(framework, ['bare', ...names], {
        signer,
        jwksUri: keys.url,
        isTogether: times < 100,
      })
      try {
        tables.push(...(await measure(framework, services, signer, plan)))
      } finally {
        close()
      }
    }
  } finally {
    keys.close()
  }
  return tables
}

async function measure(
  framework: FrameworkName,
  services: readonly Service[],
  signer: Signer,
  plan: Plan,
): Promise<readonly Table[]> {
  const forged = Array.from({ length: plan.times * 4 }, () => requestWith(forge(signer.token())))
  const flooded = services.map((service) => underFlood(service, forged, signer))
  const rounds = await takeTurns([oneSignature(signer), ...flooded], plan)
  const names = services.map(({ name }) => name)
  const table = (title: string, unit: string, figure: string, baseline: string): Table => ({
    part: 'flood',
    title: `${framework} under a flood of forged tokens: ${title}`,
    unit,
    rows: names.filter((name) => name !== baseline).map((name) => ratio(rounds, name, figure, baseline)),
  })
  const sameFlood = (figure: string): string =>
    `${figure} of the same on the service without a guard, under the same flood`
  return [
    table('a known token on another connection, p50', sameFlood('median time'), 'p50', 'bare'),
    table('a known token on another connection, p99', sameFlood('99th percentile'), 'p99', 'bare'),
    table('a new token on a new connection', 'time of one RS256 signature check', 'new', signature),
  ]
}

const forge = (token: string): string => `${token.slice(0, -8)}AAAAAAAA`

const signature = 'signature'

/** How long it takes, by the clock, and with nothing else to do. */
function oneSignature(signer: Signer): Contender {
  const checks = bareSignatures(signer, [signer.token()])
  return {
    name: signature,
    async prepare() {
      const { run } = await checks.prepare()
      return {
        async run() {
          const start = performance.now()
          await run(signatureCount)
          return { new: (performance.now() - start) / signatureCount }
        },
      }
    },
  }
}

const signatureCount = 100

function underFlood({ name, port }: Service, forged: readonly Buffer[], signer: Signer): Contender {
  const known = requestWith(signer.token())
  return {
    name,
    async prepare() {
      const flooding = await openAll(port, 32)
      const other = await open(port)
      // What fetches keys does so with its first request.
      await expect200(other, known)
      return {
        async run(times) {
          const stop = startFlood(flooding, forged, name === 'bare' ? 200 : 401)
          try {
            return await answersIn(times, other, known, port, signer)
          } finally {
            await stop()
          }
        },
        close() {
          for (const connection of [...flooding, other]) connection.close()
        },
      }
    },
  }
}

/** Has each connection send one forged token after the other. The result ends that, and rejects where one was answered otherwise. */
function startFlood(
  connections: readonly Connection[],
  forged: readonly Buffer[],
  expected: number,
): () => Promise<void> {
  const end = new AbortController()
  let sent = 0
  const all = connections.map(async (connection) => {
    while (!end.signal.aborted) {
      const status = await call(connection, forged[sent++ % forged.length] ?? Buffer.alloc(0))
      if (status !== expected && status !== 503) throw new Error(`expected ${expected}, got ${status}`)
    }
  })
  return async () => {
    end.abort()
    await Promise.all(all)
  }
}

/** One request after the other with the known token, and now and then one with a new token, by a connection of its own. */
async function answersIn(
  times: number,
  other: Connection,
  known: Buffer,
  port: number,
  signer: Signer,
): Promise<Costs> {
  const knownTimes: number[] = []
  const newTimes: number[] = []
  for (let i = 0; i < times; i += 1) {
    knownTimes.push(await expect200(other, known))
    if (i % 10 !== 0) continue
    const own = await open(port)
    newTimes.push(await expect200(own, requestWith(signer.token())))
    own.close()
  }
  return { p50: quantile(knownTimes, 0.5), p99: quantile(knownTimes, 0.99), new: quantile(newTimes, 0.5) }
}

async function expect200(connection: Connection, request: Buffer): Promise<number> {
  const start = performance.now()
  const status = await call(connection, request)
  if (status !== 200) throw new Error(`expected 200, got ${status}`)
  return performance.now() - start
}

const quantile = (values: readonly number[], part: number): number =>
  values.toSorted((one, another) => one - another)[Math.floor((values.length - 1) * part)] ?? NaN
