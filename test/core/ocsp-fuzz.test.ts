// OCSP answers that were changed at random: nothing throws, and nothing is believed but what was signed.
import { sign } from 'node:crypto'
import '@countersign/testing'
import { expect, test } from 'vitest'
import { readOcspAnswer } from '../../packages/core/src/identity/revocation/ocsp-answer.ts'
import { parseOcspResponse } from '../../packages/core/src/identity/revocation/ocsp-response.ts'
import { DerReader } from '../../packages/core/src/identity/certificate/der.ts'
import { der, ecdsaWithSha256, extension, hex, integer, sequence } from './support/der-certificate.ts'
import { mutateDer, rewritten } from './support/mutate-der.ts'
import { createRandom } from './support/mutate-jws.ts'
import {
  answerAbout,
  askedOf,
  byKey,
  delegate,
  now,
  root,
  says,
  single,
  wrap,
} from './support/ocsp-answers.ts'

/** More of them: FUZZ_RUNS=200000; others: FUZZ_SEED. */
const runs = Number(process.env['FUZZ_RUNS'] ?? 3000)
const resigned = Math.floor(runs / 3)
const seed = Number(process.env['FUZZ_SEED'] ?? 6960)

const asked = { ...askedOf(root), nonce: Buffer.alloc(32, 7) }
const delegated = delegate(root)
const extensions = [
  extension('1.3.6.1.5.5.7.48.1.2', false, der(0x04, asked.nonce)),
  extension('1.2.3', false, hex('0500')),
]
const originals = [
  { signer: root, octets: answerAbout(asked) },
  { signer: root, octets: answerAbout(asked, { nextUpdate: null }, { extensions, responder: byKey(root) }) },
  { signer: root, octets: answerAbout(asked, { says: says.revoked(now, der(0xa0, hex('0a0101'))) }) },
  {
    signer: delegated,
    octets: answerAbout(
      asked,
      {},
      {
        signer: delegated,
        certificates: [root.der, delegated.der],
        singles: [
          single({ certId: askedOf(root, { serialNumber: integer(9) }).certId, says: says.revoked(now) }),
          single({ certId: asked.certId, extensions: [extension('1.2.3', false, hex('0500'))] }),
        ],
      },
    ),
  },
]

const read = (octets: Uint8Array) => readOcspAnswer(octets, asked, now)

/** The BasicOCSPResponse in an answer. */
function basicOf(octets: Uint8Array): Buffer {
  const bytes = new DerReader(octets).enter(0x30)
  bytes.take()
  const inside = bytes.enter(0xa0).enter(0x30)
  inside.take()
  return Buffer.from(inside.takeTagged(0x04))
}

test(`${runs} answers that were changed say what was signed, or nothing`, { timeout: 600_000 }, () => {
  const random = createRandom(seed)
  let believed = 0
  for (let run = 0; run < runs; run += 1) {
    const { octets } = originals[run % originals.length] ?? { octets: Buffer.alloc(0) }
    // What is inside an octet string is reached by itself.
    const mutant = random() < 0.3 ? mutateDer(octets, random) : wrap(mutateDer(basicOf(octets), random))
    const told = `run ${run} of seed ${seed}: ${mutant.toString('base64')}`
    const result = read(mutant)
    if (typeof result === 'string') continue
    believed += 1
    expect(result, told).toEqual(read(octets))
    expect(parseOcspResponse(mutant).signedData.signed, told).toEqual(
      parseOcspResponse(octets).signedData.signed,
    )
  }
  // Such as one without the certificates that nobody needs.
  expect(believed).toBeGreaterThan(0)
})

test(
  `${resigned} answers whose signer writes what it likes say nothing, or one thing in one spelling`,
  { timeout: 600_000 },
  () => {
    const random = createRandom(seed)
    let believed = 0
    for (let run = 0; run < resigned; run += 1) {
      const { octets, signer } = originals[run % originals.length] ?? {
        octets: Buffer.alloc(0),
        signer: root,
      }
      const data = mutateDer(Buffer.from(parseOcspResponse(octets).signedData.signed), random)
      const signature = der(0x03, Buffer.from([0]), sign('sha256', data, signer.keys.privateKey))
      const certificates = der(0xa0, sequence(delegated.der))
      const mutant = wrap(sequence(data, ecdsaWithSha256, signature, certificates))
      const told = `run ${run} of seed ${seed}: ${mutant.toString('base64')}`
      const result = read(mutant)
      if (typeof result === 'string') continue
      believed += 1
      expect(rewritten(data).equals(data), told).toBe(true)
      expect(data.includes(Buffer.from(asked.certId)), told).toBe(true)
      const { status } = result
      if (status !== 'unknown') expect(status.until, told).toBeGreaterThanOrEqual(now)
    }
    expect(believed).toBeGreaterThan(0)
  },
)

test('an answer that is cut short anywhere says nothing', () => {
  for (const { octets } of originals) {
    for (let length = 0; length < octets.length; length += 1) {
      expect(typeof read(octets.subarray(0, length))).toBe('string')
    }
  }
})
