// Revocation lists that were changed: nothing throws or takes long, nobody is unrevoked, and what is read has one reading.
import '@countersign/testing'
import { Refusal, validatePath } from '@countersign/core/certificate'
import { X509Crl } from '@peculiar/x509'
import { expect, test } from 'vitest'
import { MalformedDer } from '../../packages/core/src/identity/certificate/der.ts'
import { parseCrl, type ParsedCrl } from '../../packages/core/src/identity/revocation/crl.ts'
import { crl, crlExtensions, distributionPoints, entry, reason, scopes } from './support/der-crl.ts'
import {
  at,
  attribute,
  authority,
  extension,
  extensions,
  integer,
  leaf,
  name,
  names,
  sequence,
  text,
  time,
} from './support/der-certificate.ts'
import { mutateDer, rewritten } from './support/mutate-der.ts'
import { createRandom } from './support/mutate-jws.ts'

/** More of them: FUZZ_RUNS=200000; others: FUZZ_SEED. */
const runs = Number(process.env['FUZZ_RUNS'] ?? 1500)
const seed = Number(process.env['FUZZ_SEED'] ?? 5280)

const root = authority()
const point = names.uri('http://crl.example/a')
const certificate = leaf(root, {
  parts: { serialNumber: integer(7) },
  extensions: [distributionPoints(sequence(scopes.point(point)))],
})
const originals = [
  crl(root, { revoked: [7] }),
  crl(root, {
    entries: [
      entry([1], reason(1), extension('2.5.29.24', false, time('20260331235959Z'))),
      entry([7], reason(4)),
      entry([9], extension('1.2.3.4', false, integer(1))),
    ],
    also: [
      crlExtensions.scope(scopes.point(names.dns('a.example'), point), scopes.users, scopes.reasons(1, 2, 8)),
      extensions.authorityKeyId('key'),
    ],
  }),
  crl(root, {
    revoked: [1, 2, 7],
    also: [
      crlExtensions.scope(scopes.relative(attribute('2.5.4.3', text(0x0c, 'x')))),
      crlExtensions.delta(),
    ],
  }),
  crl(root, {
    entries: [entry([7], extension('2.5.29.29', true, sequence(names.directory(name('Other')))))],
    also: [crlExtensions.scope(scopes.indirect)],
  }),
]

function read(list: Buffer): ParsedCrl | undefined {
  try {
    return parseCrl(list)
  } catch (error) {
    if (error instanceof MalformedDer) return undefined
    throw error
  }
}

function verdict(list: Uint8Array): string {
  const answer = validatePath({
    leaf: certificate,
    trustAnchors: [root.der],
    at,
    purpose: 'clientAuth',
    crls: [list],
  })
  return answer instanceof Refusal ? answer.code : 'accepted'
}

const verdicts = originals.map(verdict)
const unavailable = 'revocation_unavailable'

test('the originals revoke, or say nothing', () => {
  expect(verdicts).toEqual(['certificate_revoked', 'certificate_revoked', unavailable, unavailable])
})

test(
  `${runs} lists that were changed unrevoke nobody, and are read as others read them`,
  { timeout: 600_000 },
  () => {
    const random = createRandom(seed)
    let parsed = 0
    for (let run = 0; run < runs; run += 1) {
      const which = run % originals.length
      const original = originals[which] ?? Buffer.alloc(0)
      const mutant = mutateDer(original, random)
      const told = `run ${run} of seed ${seed}: ${mutant.toString('base64')}`
      const list = read(mutant)
      const answer = verdict(mutant)
      // Of what is signed nothing can be changed: who is still revoked is so by the very same list.
      expect(answer, told).toBe(mutant.equals(original) ? verdicts[which] : unavailable)
      if (list === undefined) continue
      parsed += 1
      expect(rewritten(mutant).equals(mutant), `one spelling: ${told}`).toBe(true)
      // Where there is no end, they see no entries either.
      const serials = list.nextUpdate === undefined ? undefined : serialsReadByOthers(mutant)
      if (serials !== undefined) expect([...list.revocations.keys()].map(BigIntOf), told).toEqual(serials)
    }
    expect(parsed).toBeGreaterThan(runs / 100)
  },
)

test('whichever bit is changed, and wherever a list is cut off, nobody is unrevoked', () => {
  const [original = Buffer.alloc(0)] = originals
  for (let position = 0; position < original.length; position += 1) {
    expect(verdict(original.subarray(0, position)), `the first ${position}`).toBe(unavailable)
    for (const bit of [1, 2, 4, 8, 16, 32, 64, 128]) {
      const changed = Buffer.from(original)
      changed[position] = (changed[position] ?? 0) ^ bit
      expect(verdict(changed), `octet ${position}, bit ${bit}`).toBe(unavailable)
    }
  }
})

const BigIntOf = (hex: string): bigint => BigInt(`0x0${hex}`)

/** Each once, since entries that were doubled are one revocation. */
function serialsReadByOthers(list: Buffer): readonly bigint[] | undefined {
  try {
    return [...new Set(new X509Crl(list).entries.map(({ serialNumber }) => BigIntOf(serialNumber)))]
  } catch {
    return undefined
  }
}
