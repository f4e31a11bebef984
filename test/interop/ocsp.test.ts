// OpenSSL's OCSP responder, asked as a guard asks.
import { randomBytes } from 'node:crypto'
import '@countersign/testing'
import { describe, expect, test } from 'vitest'
import { systemClock } from '../../packages/core/src/clock/clock.ts'
import { OcspStatuses } from '../../packages/core/src/identity/revocation/ocsp-statuses.ts'
import { fetchDocument } from '../../packages/core/src/identity/trust/fetch-document.ts'
import {
  authority,
  clientAuth,
  extensions,
  integer,
  sequence,
  text,
  type Authority,
} from '../core/support/der-certificate.ts'
import { askedOf, day, delegate, hour } from '../core/support/ocsp-answers.ts'
import { OpensslResponder, type PemPair } from './support/openssl-responder.ts'

const began = Date.now()
const utc = (ms: number): string =>
  `${new Date(ms)
    .toISOString()
    .slice(2)
    .replaceAll(/[-:T]|\.\d+Z/g, '')}Z`
const validity = sequence(text(0x17, utc(began - day)), text(0x17, utc(began + day)))
const revokedAt = Math.floor(began / 1000) * 1000 - hour

const root = authority({ commonName: 'Root', parts: { validity } })
const sibling = authority({ commonName: 'Sibling', parts: { validity } }, root)
const good = askedOf(root, { validity, serialNumber: integer(0x42) })
const revoked = askedOf(root, { validity, serialNumber: integer(0, 0x90) })
const held = askedOf(root, { validity, serialNumber: integer(0x43) })
const unknown = askedOf(root, { validity, serialNumber: integer(0x44) })

const index = [
  ['V', utc(began + day), '', '42', 'unknown', '/CN=Leaf'],
  ['R', utc(began + day), `${utc(revokedAt)},keyCompromise`, '90', 'unknown', '/CN=Leaf'],
  ['R', utc(began + day), `${utc(revokedAt)},holdInstruction,1.2.840.10040.2.1`, '43', 'unknown', '/CN=Leaf'],
]
  .map((fields) => `${fields.join('\t')}\n`)
  .join('')

const pemOf = ({ der, keys }: Authority): PemPair => ({
  cert: `-----BEGIN CERTIFICATE-----\n${der.toString('base64')}\n-----END CERTIFICATE-----\n`,
  key: keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
})

async function whatIsSaid(signer: Authority, more: readonly string[] = []) {
  const responder = await OpensslResponder.start({ ca: pemOf(root), signer: pemOf(signer), index, more })
  const problems: (string | undefined)[] = []
  const statuses = new OcspStatuses({
    responders: [responder.url],
    ca: undefined,
    nonceOctets: randomBytes,
    clock: systemClock,
    fetch: fetchDocument,
    maxEntries: 10,
    landed: ({ problem }) => problems.push(problem),
  })
  try {
    // One after the other, since OpenSSL serves one connection at a time.
    for (const question of [good, revoked, held, unknown]) await statuses.learn([question])
    const now = Date.now()
    const [goodStatus, revokedStatus, heldStatus, unknownStatus] = [good, revoked, held, unknown].map(
      ({ certificate, issuer }) => statuses.statusOf(certificate, issuer, now),
    )
    return { goodStatus, revokedStatus, heldStatus, unknownStatus, problems, state: statuses.state }
  } finally {
    statuses.close()
    await responder.close()
  }
}

const nothing = {
  goodStatus: undefined,
  revokedStatus: undefined,
  heldStatus: undefined,
  unknownStatus: undefined,
}

describe('OpenSSL that answers', () => {
  test.each<[string, Authority, readonly string[]]>([
    ['with the key of the issuer', root, ['-nmin', '5']],
    ['with the key of the issuer, which it names by its hash', root, ['-nmin', '5', '-resp_key_id']],
    ['with the key of a delegate', delegate(root, { parts: { validity } }), ['-nmin', '5']],
    [
      'with the key of a delegate, which it names by its hash, and SHA-384',
      delegate(root, { parts: { validity } }),
      ['-nmin', '5', '-resp_key_id', '-rmd', 'sha384'],
    ],
  ])('%s is believed', async (_, signer, more) => {
    const { goodStatus, revokedStatus, heldStatus, unknownStatus, problems, state } = await whatIsSaid(
      signer,
      more,
    )
    expect(problems).toEqual([undefined, undefined, undefined, undefined])
    expect(goodStatus?.kind).toBe('good')
    expect(goodStatus?.until).toBeGreaterThan(began + 4 * 60_000)
    expect(goodStatus?.until).toBeLessThan(Date.now() + 6 * 60_000)
    expect(revokedStatus).toMatchObject({ kind: 'revoked', at: revokedAt })
    expect(heldStatus).toMatchObject({ kind: 'revoked', at: revokedAt })
    expect(unknownStatus).toBeUndefined()
    expect(state).toMatchObject([{ status: 'fresh' }])
  })

  test('without nextUpdate is believed for an hour', async () => {
    const { goodStatus } = await whatIsSaid(root)
    expect(goodStatus?.until).toBeGreaterThan(began + 59 * 60_000)
    expect(goodStatus?.until).toBeLessThanOrEqual(Date.now() + hour)
  })

  test.each<[string, RegExp, Authority, readonly string[]]>([
    [
      'with the key of a delegate of a sibling',
      /another authority/,
      delegate(sibling, { parts: { validity } }),
      [],
    ],
    ['with the key of the sibling', /is an authority/, sibling, []],
    [
      'with the key of a certificate for other uses',
      /OCSPSigning/,
      delegate(root, {
        parts: { validity },
        extensions: [extensions.keyUsage(0x80), extensions.extKeyUsage(clientAuth)],
      }),
      [],
    ],
    ['with SHA-1', /key of the issuer/, root, ['-rmd', 'sha1']],
    [
      'without the certificate of its delegate',
      /names neither/,
      delegate(root, { parts: { validity } }),
      ['-resp_no_certs'],
    ],
  ])('%s is not', async (_, problem, signer, more) => {
    const { problems, state, ...said } = await whatIsSaid(signer, more)
    expect(said).toEqual(nothing)
    expect(problems).toEqual(Array.from({ length: 4 }, () => expect.stringMatching(problem)))
    expect(state).toMatchObject([{ status: 'failed' }])
  })
})
