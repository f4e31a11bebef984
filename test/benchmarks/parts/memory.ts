import { createHmac, createSecretKey, randomBytes } from 'node:crypto'
import { createGuard, scopes } from '@countersign/core'
import { countersign, nextTurn, perTurn } from '../contenders/countersign.ts'
import { joseAndMap, peersFor, type PeerPlan } from '../contenders/peers.ts'
import { heapKept, heapUsed } from '../heap.ts'
import type { Contender, Plan } from '../measure.ts'
import type { Figures, Table } from '../report.ts'
import { audience, createSigner, issuer, segment, type Signer } from '../tokens.ts'

/** What is kept of tokens: of good ones, of bad ones, and of more than there is room for. */
export async function memory({ rounds, times }: Plan): Promise<readonly (Table | Figures)[]> {
  const plan = { rounds: Math.min(rounds, 5), times: times * 3 }
  const signer = createSigner('RS256')
  return [
    await ofKept(signer, plan),
    await ofRefused(signer, plan),
    await ofMany(rounds > 3 ? 1_000_000 : times * 100),
  ]
}

async function ofKept(signer: Signer, plan: Plan): Promise<Table> {
  const tokens = Array.from({ length: plan.times }, () => signer.token())
  const strangers = Array.from({ length: plan.times }, (_, i) =>
    signer.token({ sub: `client-${i}`, client_id: `client-${i}` }),
  )
  const ours = { signer, connections: 1 }
  const rows = await heapKept(
    [
      countersign({ ...ours, tokens, name: 'Countersign' }),
      countersign({ ...ours, tokens: strangers, name: 'Countersign, each token of another client' }),
      joseAndMap({ signer, tokens }),
      ...cachingPeers({ signer, tokens }),
    ],
    tokens[0]?.length ?? NaN,
    plan,
  )
  const unit = `size of the token (${tokens[0]?.length ?? 0} B)`
  return { part: 'memory', title: 'Memory: heap kept for a verified token', unit, rows }
}

async function ofRefused(signer: Signer, plan: Plan): Promise<Table> {
  // Nobody has to sign what is refused.
  const good = signer.token()
  const [header, claims] = good.split('.')
  const many = (make: () => string): readonly string[] => Array.from({ length: plan.times }, make)
  const signature = (): string => randomBytes(256).toString('base64url')
  const forged = many(() => `${header}.${claims}.${signature()}`)
  const unknown = many(() => {
    const kid = randomBytes(8).toString('hex')
    return `${segment({ alg: 'RS256', kid, typ: 'at+jwt' })}.${claims}.${signature()}`
  })
  const random = many(() => randomBytes(520).toString('base64url'))
  const outcome = 'deny'
  const ours = { signer, connections: 1, outcome } as const
  const rows = await heapKept(
    [
      countersign({ ...ours, tokens: forged, name: 'Countersign, forged signatures' }),
      countersign({ ...ours, tokens: unknown, name: 'Countersign, unknown kids' }),
      countersign({ ...ours, tokens: random, name: 'Countersign, random text' }),
      ...cachingPeers({ signer, tokens: forged, outcome }).map(({ name, prepare }) => ({
        name: `${name}, forged signatures`,
        prepare,
      })),
    ],
    good.length,
    plan,
  )
  const unit = `size of the token (${good.length} B)`
  return { part: 'memory', title: 'Memory: heap kept for a refused token', unit, rows }
}

/** Ten times as many tokens as the cache holds. By a shared secret, since only signing that fast ends within a minute. */
async function ofMany(count: number): Promise<Figures> {
  const maxEntries = count / 10
  const secret = randomBytes(32)
  const guard = createGuard({
    audience,
    issuers: [{ issuer, secret, algorithms: ['HS256'] }],
    cache: { maxEntries },
    log: false,
  })
  const token = tokensOf(secret)
  const read = scopes('orders:read')
  const socket = {}
  const msOf = async (i: number): Promise<number> => {
    if (i % perTurn === 0) await nextTurn()
    const authorization = `Bearer ${token(i)}`
    const rawHeaders = ['Authorization', authorization]
    const request = { method: 'GET', url: '/', headers: { authorization }, rawHeaders, socket }
    const before = performance.now()
    const decision = guard.decide(request, read)
    const took = performance.now() - before
    if (decision instanceof Promise || decision.outcome !== 'allow') throw new Error('expected allow at once')
    return took
  }
  const before = await heapUsed()
  const took = new Float64Array(count)
  let atMost = 0
  for (let i = 0; i < count; i += 1) {
    took[i] = await msOf(i)
    // INVARIANT: both halves of the cache are full here.
    if (i % maxEntries === maxEntries - 1) atMost = Math.max(atMost, (await heapUsed()) - before)
  }
  guard.close()
  took.sort()
  const ms = (part: number): number => took[Math.floor((count - 1) * part)] ?? NaN
  return {
    part: 'memory',
    title: `Memory: ${count.toLocaleString('en')} tokens through a cache of ${maxEntries.toLocaleString('en')}`,
    text: 'HS256 tokens, each verified, decided and kept. The longest decision includes what the collector does meanwhile.',
    columns: ['heap at most, MB', 'the same for each entry, B', 'longest decision, ms', 'p99.99, ms'],
    figures: [{ name: 'Countersign', values: [atMost / 1e6, atMost / maxEntries, ms(1), ms(0.9999)] }],
  }
}

function tokensOf(secret: Uint8Array): (i: number) => string {
  // Node 24 takes octets four times as long as a key.
  const key = createSecretKey(secret)
  const now = Math.floor(Date.now() / 1000)
  const header = segment({ alg: 'HS256', typ: 'at+jwt' })
  const claims = { iss: issuer, aud: audience, sub: 'checkout', client_id: 'checkout', scope: 'orders:read' }
  return (i) => {
    const input = `${header}.${segment({ ...claims, iat: now, exp: now + 3600, jti: `token-${i}` })}`
    return `${input}.${createHmac('sha256', key).update(input).digest('base64url')}`
  }
}

const cachingPeers = (plan: PeerPlan): readonly Contender[] =>
  peersFor(plan).filter(({ name }) => name === 'fast-jwt 6, cache')
