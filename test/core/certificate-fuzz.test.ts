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
import { mutateDer, rewritten } from './support/mutate-der.ts'
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

test(
  `${runs} certificates that were changed are refused, or read as others read them`,
  { timeout: 600_000 },
  () => {
    const random = createRandom(seed)
    let accepted = 0
    for (let run = 0; run < runs; run += 1) {
      const original = originals[run % originals.length] ?? Buffer.alloc(0)
      const mutant = mutateDer(original, random)
      const told = `run ${run} of seed ${seed}: ${mutant.toString('base64')}`
      const parsed = parseCertificate(mutant)
      const path = validatePath({
        leaf: mutant,
        intermediates: [mutant],
        trustAnchors: [root.der, mutant],
        at,
        purpose: 'clientAuth',
      })
      // Of what is signed nothing can be changed.
      if (!(path instanceof Refusal)) expect(mutant.equals(original), told).toBe(true)
      // What has names that nobody can read is on no path.
      if (parsed instanceof Refusal) continue
      if (parsed.subjectAltNames === 'unreadable' || parsed.nameConstraints === 'unreadable') continue
      accepted += 1
      expect(rewritten(mutant).equals(mutant), `one spelling: ${told}`).toBe(true)
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
  },
)

function otherReading(certificate: Buffer): readonly string[] | undefined {
  try {
    return new OtherCertificate(certificate).extensions.map(({ type }) => type)
  } catch {
    return undefined
  }
}
