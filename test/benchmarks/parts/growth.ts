import { createGuard, scopes, type GuardOptions, type Requirement } from '@countersign/core'
import { nextTurn, perTurn } from '../contenders/countersign.ts'
import { compare, inParts, type Contender, type Plan } from '../measure.ts'
import type { Table } from '../report.ts'
import { arriving, createSigner, issuer, audience, type Signer } from '../tokens.ts'

/** What a decision costs as a service grows, beside the same in the smallest. */
export async function growth({ rounds, times }: Plan): Promise<readonly Table[]> {
  const signer = createSigner('ES256')
  const rotated = Math.min(times, 500)
  const tokens = (count: number, make: (i: number) => string): readonly string[] =>
    Array.from({ length: count }, (_, i) => make(i))
  const same = tokens(rotated, () => signer.token())
  const issuersOf = (count: number): readonly Issuer[] =>
    Array.from({ length: count }, (_, i) => ({ issuer: `https://idp-${i}.internal`, signer }))
  const byMany = (count: number, issuers: number): readonly string[] =>
    tokens(count, (i) => signer.token({ iss: `https://idp-${i % issuers}.internal` }))
  const warm = { isWarm: true, issuers: [{ issuer, signer }] }

  const axes: Readonly<Record<string, Readonly<Record<string, Load>>>> = {
    routes: each([1, 30, 1000], (routes) => ({ ...warm, tokens: same, routes })),
    issuers: each([1, 10, 50], (count) => ({
      isWarm: true,
      tokens: byMany(rotated, count),
      issuers: issuersOf(count),
    })),
    'issuers, tokens never seen': each([1, 10, 50], (count) => ({
      tokens: byMany(times, count),
      issuers: issuersOf(count),
    })),
    'callers in the policy': each([1, 100, 10_000], (count) => ({
      ...warm,
      tokens: tokens(rotated, (i) => signer.token(clientOf(i % count))),
      options: {
        grants: Object.fromEntries(
          Array.from({ length: count }, (_, i) => [
            `${issuer}#client=${clientOf(i).client_id}`,
            ['orders:read'],
          ]),
        ),
      },
    })),
    'scopes in a token of the same length, found by its digest': each([1, 50, 500], (count) => ({
      ...warm,
      tokens: tokens(rotated, () => signer.token(scopesAndNote(count))),
    })),
    'scopes in a token of the same length, on the same connection': each([1, 50, 500], (count) => ({
      ...warm,
      tokens: [signer.token(scopesAndNote(count))],
      connections: 1,
    })),
  }
  const tables: Table[] = []
  for (const [what, loads] of Object.entries(axes)) {
    const [[least, baseline] = ['', undefined], ...more] = Object.entries(loads)
    if (baseline === undefined) continue
    const rows = await compare(
      decisions('baseline', baseline),
      [[`${least}, again`, baseline] as const, ...more].map(([name, load]) => decisions(name, load)),
      inParts({ rounds, times: baseline.isWarm === true ? times * 5 : times }, 2),
    )
    tables.push({
      part: 'growth',
      title: `Growth: ${what}`,
      unit: `CPU of the decision with ${least.replace(/.* /, '')}`,
      rows,
    })
  }
  return tables
}

interface Issuer {
  readonly issuer: string
  readonly signer: Signer
}

interface Load {
  readonly tokens: readonly string[]
  readonly issuers: readonly Issuer[]
  readonly isWarm?: boolean
  readonly connections?: number
  readonly routes?: number
  readonly options?: Partial<GuardOptions>
}

const each = (counts: readonly number[], load: (count: number) => Load): Readonly<Record<string, Load>> =>
  Object.fromEntries(counts.map((count) => [`Countersign, ${count.toLocaleString('en')}`, load(count)]))

const clientOf = (i: number) => ({ sub: `client-${i}`, client_id: `client-${i}` })

// The one that is asked comes last.
const scopeOf = (count: number): string =>
  [...Array.from({ length: count - 1 }, (_, i) => `r-${i}:get`), 'orders:read'].join(' ')

// All tokens are as long as the one with most scopes: that they have to be read is no matter of scopes.
const scopesAndNote = (count: number) => ({
  scope: scopeOf(count),
  note: '-'.repeat(scopeOf(500).length - scopeOf(count).length),
})

/** Tokens in rotation over connections that send another one each time, so that the shared cache is asked, and routes in rotation. */
const decisions = (
  name: string,
  { tokens, issuers, isWarm, connections = 7, routes = 1, options }: Load,
): Contender => ({
  name,
  async prepare() {
    const trusted = issuers.map((one) => ({ issuer: one.issuer, jwks: { keys: [one.signer.jwk] } }))
    const [first, ...others] = trusted
    if (first === undefined) throw new Error('expected an issuer')
    const guard = createGuard({ audience, issuers: [first, ...others], log: false, ...options })
    const arrive = arriving(tokens)
    const sockets = Array.from({ length: connections }, () => ({}))
    const asked = Array.from({ length: routes }, (_, i): readonly [Requirement, string] => [
      scopes('orders:read'),
      `GET /orders-${i}/:id`,
    ])
    const decide = async (i: number): Promise<void> => {
      const authorization = arrive()
      const rawHeaders = ['Authorization', authorization]
      const socket = sockets[i % sockets.length] ?? {}
      const request = { method: 'GET', url: '/', headers: { authorization }, rawHeaders, socket }
      const [requirement, route] = asked[i % asked.length] ?? []
      if (requirement === undefined) throw new Error('expected a route')
      const decision = guard.decide(request, requirement, route)
      const { outcome } = decision instanceof Promise ? await decision : decision
      if (outcome !== 'allow') throw new Error(`${name}: expected allow`)
    }
    const run = async (times: number, turns: boolean): Promise<void> => {
      for (let i = 0; i < times; i += 1) {
        if (turns && i % perTurn === 0) await nextTurn()
        await decide(i)
      }
    }
    // The keys of all issuers, and what is seen before.
    await run(isWarm === true ? tokens.length : 0, true)
    return { run: (times) => run(times, isWarm !== true), close: () => guard.close() }
  },
})
