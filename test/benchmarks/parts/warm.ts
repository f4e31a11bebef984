import { countersign } from '../contenders/countersign.ts'
import { mapByToken } from '../contenders/limits.ts'
import { peersFor } from '../contenders/peers.ts'
import { compare, readyOnce, type Plan } from '../measure.ts'
import type { Table } from '../report.ts'
import { createSigner } from '../tokens.ts'

/** Tokens that come again: on the same connection, or on any. */
export async function warm(plan: Plan): Promise<readonly Table[]> {
  const signer = createSigner('RS256')
  const tables: Table[] = []
  for (const count of [1, 1000]) {
    const tokens = Array.from({ length: count }, () => signer.token())
    const known = { signer, tokens, isWarm: true }
    // Connections that change their token each time, so that only the shared cache knows it.
    const shared = countersign({
      ...known,
      name: 'Countersign, any connection',
      connections: count === 1 ? 1 : 7,
    })
    const rows = await compare(
      mapByToken(tokens),
      [
        mapByToken(tokens, 'Map.get itself'),
        ...(count === 1
          ? [countersign({ ...known, name: 'Countersign, same connection', connections: 1 })]
          : [shared]),
        ...peersFor(known),
      ].map(readyOnce),
      { ...plan, times: plan.times * 2 },
    )
    tables.push({
      part: 'warm',
      title: count === 1 ? 'Warm, one token on one connection' : `Warm, ${count} tokens in rotation`,
      unit: `CPU of one Map.get by a token of ${tokens[0]?.length ?? 0} B that is a new string`,
      rows,
    })
  }
  return tables
}
