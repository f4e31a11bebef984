// What a guard holds certificates against, without the guard.
import type { CertificateOptions } from '@countersign/core'
import { createTestClock, type TestClock } from '@countersign/testing'
import type { CertificateTrust } from '../../../packages/core/src/identity/peer/certificate-trust.ts'
import { fetchDocument } from '../../../packages/core/src/identity/trust/fetch-document.ts'
import { parseCertificates } from '../../../packages/core/src/options/parse-certificates.ts'

/** What these options trust. */
export function trustIn(options: CertificateOptions, clock: TestClock = createTestClock()): CertificateTrust {
  const context = { clock, fetch: fetchDocument, mayUse: () => false, maxCacheEntries: 1000 }
  const { certificates } = parseCertificates(options, context)
  if (certificates === undefined) throw new Error('expected options by which certificates are verified')
  return certificates
}
