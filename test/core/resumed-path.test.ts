import { authenticated, createGuard } from '@countersign/core'
import { createTestCa } from '@countersign/testing'
import { expect, test } from 'vitest'
import { codeOf, requestWith } from './support/asking.ts'

const ca = await createTestCa()
const anchor = await ca.intermediate()
const svid = await (await anchor.intermediate()).svid('/checkout')

/** As Node shows a connection whose authority is an intermediate, which OpenSSL takes for no anchor. */
const connection = (chain: readonly Uint8Array[], authorizationError: string): object => ({
  authorized: false,
  authorizationError,
  isSessionReused: () => chain.length === 1,
  getPeerCertificate: () =>
    chain.reduceRight<object | undefined>(
      (issuerCertificate, der) => ({ raw: Buffer.from(der), issuerCertificate }),
      undefined,
    ),
})

test('a path that was found once is known when the session is resumed, though OpenSSL found none', async () => {
  const guard = createGuard({ certificates: { trustDomains: { 'test.example': anchor.chain } }, log: false })
  const ask = async (chain: readonly Uint8Array[], complaint: string): Promise<string> =>
    codeOf(await guard.decide(requestWith(undefined, connection(chain, complaint)), authenticated()))
  const leaf = svid.chain.slice(0, 1)
  expect(await ask(leaf, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE')).toBe('certificate_chain_unknown')
  expect(await ask(svid.chain, 'UNABLE_TO_GET_ISSUER_CERT')).toBe('allow')
  expect(await ask(leaf, 'UNABLE_TO_GET_ISSUER_CERT')).toBe('allow')
  // What OpenSSL alone knows is not answered by what was found before.
  expect(await ask(svid.chain, 'CERT_REVOKED')).toBe('certificate_rejected_by_tls')
})
