// Certificates that were changed at random: nothing throws or takes long, and what is accepted has one reading.
import { X509Certificate as OpenSslCertificate } from 'node:crypto'
import '@countersign/testing'
import { Refusal, validatePath } from '@countersign/core/certificate'
import { X509Certificate as OtherCertificate } from '@peculiar/x509'
import { expect, test } from 'vitest'
import { parseCertificate } from '../../packages/core/src/identity/certificate/parsed-certificate.ts'
import {
  anyUsage,
  at,
  authority,
  clientAuth,
  extension,
  extensions,
  integer,
  leaf,
  name,
  names,
  oid,
  sequence,
} from './support/der-certificate.ts'
import { createRandom } from './support/mutate-jws.ts'

/** More of them: FUZZ_RUNS=200000; others: FUZZ_SEED. */
const runs = Number(process.env['FUZZ_RUNS'] ?? 1500)
const seed = Number(process.env['FUZZ_SEED'] ?? 5280)

const root = authority()
const originals = [
  leaf(root),
  leaf(root, {
    parts: { subject: name('Corp', 'Leaf') },
    extensions: [
      extension('2.5.29.19', true, sequence()),
      extensions.keyUsage(0x80),
      extensions.extKeyUsage(clientAuth, anyUsage),
      extensions.alternativeNames(
        names.uri('spiffe://prod.example/a'),
        names.dns('a.example'),
        names.ip(192, 0, 2, 1),
        names.email('a@a.example'),
        names.directory(name('x')),
        names.other(),
      ),
      extensions.subjectKeyId('key'),
      extensions.authorityKeyId('key'),
      extension('2.5.29.32', false, sequence(sequence(oid('1.2.3')))),
    ],
  }),
  authority({
    pathLength: 1,
    also: [
      extensions.nameConstraints(
        [names.dns('a.example'), names.ip(10, 0, 0, 0, 255, 0, 0, 0), names.directory(name('Corp'))],
        [names.uri('.b.example'), names.email('c.example')],
      ),
      extension('1.2.3.4', false, integer(1)),
    ],
  }).der,
]

type Random = ReturnType<typeof createRandom>
const upTo = (random: Random, limit: number): number => Math.floor(random() * limit)

/** A value and what is in it, if it is a container; otherwise its octets. */
type Tree = readonly [tag: number, content: Buffer | readonly Tree[]]

function treeOf(octets: Buffer): readonly Tree[] {
  const trees: Tree[] = []
  for (let start = 0; start < octets.length;) {
    const tag = octets[start] ?? 0
    const first = octets[start + 1] ?? 0
    const count = first < 0x80 ? 0 : first & 0x7f
    const length = count === 0 ? first : octets.readUIntBE(start + 2, count)
    const content = octets.subarray(start + 2 + count, start + 2 + count + length)
    trees.push([tag, (tag & 0x20) === 0 ? content : treeOf(content)])
    start += 2 + count + length
  }
  return trees
}

function octetsOf([tag, content]: Tree): Buffer {
  const inner = Buffer.isBuffer(content) ? content : Buffer.concat(content.map(octetsOf))
  const { length } = inner
  const head = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...head]), inner])
}

/** Changes octets where they stand, or one value in the tree, whose containers then fit again. */
function mutate(original: Buffer, random: Random): Buffer {
  return random() < 0.4
    ? changeOctets(original, random)
    : Buffer.concat(changeTree(treeOf(original), random).map(octetsOf))
}

function changeOctets(original: Buffer, random: Random): Buffer {
  const position = upTo(random, original.length)
  const [before, after] = [original.subarray(0, position), original.subarray(position + 1)]
  const some = Buffer.from(Array.from({ length: upTo(random, 3) }, () => upTo(random, 256)))
  return Buffer.concat([before, some, after])
}

function changeTree(trees: readonly Tree[], random: Random): readonly Tree[] {
  const position = upTo(random, trees.length)
  const chosen = trees[position]
  if (chosen === undefined) return trees
  const [tag, content] = chosen
  const changed = (): readonly Tree[] => {
    if (!Buffer.isBuffer(content) && random() < 0.85) return [[tag, changeTree(content, random)]]
    const choice = upTo(random, 6)
    if (choice === 0) return []
    if (choice === 1) return [chosen, chosen]
    if (choice === 2) return [[upTo(random, 256), content]]
    if (choice === 3) return [[tag, Buffer.alloc(0)]]
    return [
      [
        tag,
        Buffer.isBuffer(content) ? changeOctets(Buffer.concat([content, Buffer.from([0])]), random) : content,
      ],
    ]
  }
  return [...trees.slice(0, position), ...changed(), ...trees.slice(position + 1)]
}

test(
  `${runs} certificates that were changed are refused, or read as others read them`,
  { timeout: 600_000 },
  () => {
    const random = createRandom(seed)
    let [accepted, slowest] = [0, 0]
    for (let run = 0; run < runs; run += 1) {
      const original = originals[run % originals.length] ?? Buffer.alloc(0)
      const mutant = mutate(original, random)
      const told = `run ${run} of seed ${seed}: ${mutant.toString('base64')}`
      const began = performance.now()
      const parsed = parseCertificate(mutant)
      const path = validatePath({
        leaf: mutant,
        intermediates: [mutant],
        trustAnchors: [root.der, mutant],
        at,
        purpose: 'clientAuth',
      })
      slowest = Math.max(slowest, performance.now() - began)
      // Of what is signed nothing can be changed.
      if (!(path instanceof Refusal)) expect(mutant.equals(original), told).toBe(true)
      // What has names that nobody can read is on no path.
      if (parsed instanceof Refusal) continue
      if (parsed.subjectAltNames === 'unreadable' || parsed.nameConstraints === 'unreadable') continue
      accepted += 1
      expect(Buffer.concat(treeOf(mutant).map(octetsOf)).equals(mutant), `one spelling: ${told}`).toBe(true)
      const openSsl = new OpenSslCertificate(mutant)
      expect(openSsl.raw.equals(mutant), told).toBe(true)
      expect(Number(`0x0${parsed.serialNumber}`), told).toBe(Number(`0x${openSsl.serialNumber}`))
      expect([parsed.notBefore, parsed.notAfter], told).toEqual([
        openSsl.validFromDate.getTime(),
        openSsl.validToDate.getTime(),
      ])
      // It takes ten times as long as all the rest.
      const other = accepted > 200 ? undefined : otherReading(mutant)
      if (other !== undefined) expect([...parsed.extensions.keys()], told).toEqual(other)
    }
    expect(accepted).toBeGreaterThan(runs / 100)
    expect(slowest).toBeLessThan(1000)
  },
)

function otherReading(certificate: Buffer): readonly string[] | undefined {
  try {
    return new OtherCertificate(certificate).extensions.map(({ type }) => type)
  } catch {
    return undefined
  }
}
