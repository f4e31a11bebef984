import { countersign } from '../contenders/countersign.ts'
import { bareSignatures } from '../contenders/limits.ts'
import { peersFor } from '../contenders/peers.ts'
import { compare, inParts, readyOnce, type Plan } from '../measure.ts'
import type { Table } from '../report.ts'
import { benchAlgorithms, createSigner } from '../tokens.ts'

/** Tokens that were never seen: what verification costs beside the signature, which nobody can do without. */
export async function cold(plan: Plan): Promise<readonly Table[]> {
  const tables: Table[] = []
  for (const algorithm of benchAlgorithms) {
    const signer = createSigner(algorithm)
    const tokens = Array.from({ length: plan.times }, () => signer.token())
    // Of half of them, so that each has been forgotten when it comes again.
    const cache = { maxEntries: Math.ceil(plan.times / 2) }
    const ours = { signer, tokens, connections: 32, options: { cache } }
    const rows = await compare(
      bareSignatures(signer, tokens),
      [
        bareSignatures(signer, tokens, 'crypto.verify itself'),
        countersign({ ...ours, name: 'Countersign' }),
        countersign({
          ...ours,
          name: "Countersign, signatures: 'webcrypto'",
          options: { cache, signatures: 'webcrypto' },
        }),
        ...peersFor({ signer, tokens }),
        // Made anew for each round, since it remembers all of them.
      ].map((each) => (each.name.endsWith(', cache') ? each : readyOnce(each))),
      inParts(plan, 4),
    )
    tables.push({
      part: 'cold',
      title: `Cold, ${algorithm}`,
      unit: `CPU of one ${algorithm} signature check with a kept key (token of ${tokens[0]?.length ?? 0} B)`,
      rows,
    })
  }
  return tables
}
