import { randomBytes } from 'node:crypto'
import { countersign } from '../contenders/countersign.ts'
import { bareSignatures } from '../contenders/limits.ts'
import { peersFor } from '../contenders/peers.ts'
import { compare, inParts, readyOnce, type Plan } from '../measure.ts'
import type { Table } from '../report.ts'
import { createSigner, segment, type Signer } from '../tokens.ts'

type Forge = (signer: Signer, other: Signer) => string

const nested = (levels: number): unknown => (levels === 0 ? 0 : { a: nested(levels - 1) })

/** What is sent to make a service work for nothing. */
const kinds: Readonly<Record<string, Forge>> = {
  'random text': () => randomBytes(520).toString('base64url'),
  'a forged signature': (signer) => `${signer.token().slice(0, -8)}AAAAAAAA`,
  'an unknown kid': (_, other) => other.token({}, { kid: randomBytes(8).toString('hex') }),
  'alg: none': () =>
    `${segment({ alg: 'none', typ: 'at+jwt' })}.${segment({ sub: randomBytes(300).toString('hex') })}.`,
  'another issuer': (_, other) => other.token({ iss: `https://${randomBytes(8).toString('hex')}.example` }),
  '12 KB': (_, other) => other.token({ note: randomBytes(4500).toString('hex') }),
  'nested JSON of 7 KB': (_, other) => other.token({ note: Array.from({ length: 40 }, () => nested(30)) }),
}

/** Refusals, beside one signature check. Every token is another one. */
export async function hostile(plan: Plan): Promise<readonly Table[]> {
  const signer = createSigner('RS256')
  const other = createSigner('RS256')
  const good = Array.from({ length: plan.times }, () => signer.token())
  const tables: Table[] = []
  for (const [kind, forge] of Object.entries(kinds)) {
    const tokens = Array.from({ length: plan.times }, () => forge(signer, other))
    const rows = await compare(
      bareSignatures(signer, good),
      [
        countersign({ name: 'Countersign', signer, tokens, connections: 32, outcome: 'deny' }),
        ...peersFor({ signer, tokens, outcome: 'deny' }),
      ].map(readyOnce),
      inParts({ ...plan, rounds: Math.ceil(plan.rounds / 2) }, 4),
    )
    tables.push({
      part: 'hostile',
      title: `Hostile: ${kind}`,
      unit: 'CPU of one RS256 signature check',
      rows,
    })
  }
  return tables
}
