import { countersign } from '../contenders/countersign.ts'
import { mapByToken } from '../contenders/limits.ts'
import { peersFor } from '../contenders/peers.ts'
import { compare, inParts, readyOnce, type Contender, type Plan } from '../measure.ts'
import type { Table } from '../report.ts'
import { createSigner } from '../tokens.ts'

/** Tokens that come again: on the same connection, or on any. */
export async function warm(plan: Plan): Promise<readonly Table[]> {
  const signer = createSigner('RS256')
  const tables: Table[] = []
  for (const count of [1, 1000]) {
    const tokens = Array.from({ length: count }, () => signer.token())
    const known = { signer, tokens, isWarm: true }
    const ours = countersign({
      ...known,
      // Connections that change their token each time, so that only the shared cache knows it.
      ...(count === 1
        ? { name: 'Countersign, same connection', connections: 1 }
        : { name: 'Countersign, any connection', connections: 7 }),
    })
    const isQuick = ({ name }: Contender): boolean => name.endsWith(', cache')
    const peers = peersFor(known)
    // What takes a microsecond is done often enough to be told from what the process does besides.
    const quick = [mapByToken(tokens, 'Map.get itself'), ours, ...peers.filter(isQuick)]
    const slow = peers.filter((peer) => !isQuick(peer))
    const rows = [
      ...(await compare(
        mapByToken(tokens),
        quick.map(readyOnce),
        inParts({ ...plan, times: plan.times * 40 }, 4),
      )),
      ...(await compare(mapByToken(tokens), slow.map(readyOnce), inParts(plan, 2))),
    ]
    tables.push({
      part: 'warm',
      title: count === 1 ? 'Warm, one token on one connection' : `Warm, ${count} tokens in rotation`,
      unit: `CPU of one Map.get by a token of ${tokens[0]?.length ?? 0} B that is a new string`,
      rows,
    })
  }
  return tables
}
