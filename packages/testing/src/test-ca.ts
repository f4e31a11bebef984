// A certificate authority with real keys, in memory: the root of one SPIFFE trust domain, or an intermediate below it.
import { isIP } from 'node:net'
import { breakCertificate, type BrokenCertificateKind } from './broken-certificate.ts'
import { breakIntermediate, type BrokenIntermediateKind } from './broken-intermediate.ts'
import {
  draftAuthority,
  draftLeaf,
  type CertificateOptions,
  type CertificateTemplate,
} from './certificate-template.ts'
import { certificatesToPem, issueCertificate, type IssuedCertificate } from './issue-certificate.ts'
import { parseSpiffePath, parseTrustDomain } from './spiffe-name.ts'
import { toTestCertificate, type TestCertificate, type TestSvid } from './test-certificate.ts'

/** How to make a root CA. Everything has a default. */
export interface TestCaOptions {
  /** The SPIFFE trust domain whose workloads it names. Default: `test.example`. */
  readonly trustDomain?: string
  /** The CA's common name. Default: `Test CA of <trust domain>`. */
  readonly name?: string
  /** Default: a minute before `now`. */
  readonly notBefore?: Date
  /** Default: an hour after `now`. */
  readonly notAfter?: Date
  /** The moment at which it and everything below it is issued. Default: the real time, at each issue. */
  readonly now?: Date
  /** The kind of key of the CA and, by default, of all it issues: P-256 or RSA 2048. Default: `ec`. */
  readonly keys?: 'ec' | 'rsa'
}

/** Makes a root CA with a new key. */
export async function createTestCa(options: TestCaOptions = {}): Promise<TestCa> {
  const trustDomain = parseTrustDomain(options.trustDomain ?? 'test.example')
  const { name = `Test CA of ${trustDomain}`, keys = 'ec', now, notBefore, notAfter } = options
  const template = {
    ...draftAuthority(name, keys, now ?? new Date()),
    ...(notBefore && { notBefore }),
    ...(notAfter && { notAfter }),
  }
  const root = await issueCertificate(template)
  return new TestCa({ trustDomain, keys, now, root, issuer: root, intermediates: [] })
}

/** Where a CA stands between the root and what it issues. */
interface CaPlace {
  readonly trustDomain: string
  readonly keys: 'ec' | 'rsa'
  readonly now: Date | undefined
  readonly root: IssuedCertificate
  /** The CA itself. */
  readonly issuer: IssuedCertificate
  /** DER of the CAs from this one up to, and without, the root. */
  readonly intermediates: readonly Uint8Array[]
}

/** A certificate authority, made by `createTestCa` or by another one's `intermediate`. */
export class TestCa {
  /** The SPIFFE trust domain whose workloads it names. */
  readonly trustDomain: string
  /** PEM of the root: what a verifier trusts. */
  readonly bundle: string
  /** PEM of the CAs from this one up to, and without, the root; empty for the root. */
  readonly chain: string
  readonly #place: CaPlace

  constructor(place: CaPlace) {
    this.trustDomain = place.trustDomain
    this.bundle = certificatesToPem([place.root.der])
    this.chain = certificatesToPem(place.intermediates)
    this.#place = place
  }

  /** Issues a CA below this one. What that one issues carries the chain up to the root. */
  async intermediate(options: CertificateOptions = {}): Promise<TestCa> {
    const { intermediates, issuer, keys } = this.#place
    const name = `Intermediate CA ${intermediates.length + 1} of ${this.trustDomain}`
    const template = { ...draftAuthority(name, keys, this.#now(options)), ...options }
    const issued = await issueCertificate(template, issuer)
    return new TestCa({ ...this.#place, issuer: issued, intermediates: [issued.der, ...intermediates] })
  }

  /** Issues a correct X.509-SVID for `spiffe://<trust domain><path>`, unless the options change what it says. */
  async svid(path: string, options: CertificateOptions = {}): Promise<TestSvid> {
    const spiffeId = `spiffe://${this.trustDomain}${parseSpiffePath(path)}`
    const certificate = await this.#issue([{ type: 'url', value: spiffeId }], options)
    return { ...certificate, spiffeId: options.names?.find(({ type }) => type === 'url')?.value ?? spiffeId }
  }

  /**
   * Issues a certificate for a server on these hosts, DNS names or IP addresses.
   * With `spiffePath` it is the SVID of that workload as well.
   */
  async serverCertificate(
    hosts: readonly string[] = ['localhost', '127.0.0.1', '::1'],
    { spiffePath, ...options }: CertificateOptions & { readonly spiffePath?: string } = {},
  ): Promise<TestCertificate> {
    const names = hosts.map((value) => ({ type: isIP(value) ? ('ip' as const) : ('dns' as const), value }))
    if (spiffePath === undefined) return this.#issue(names, { purposes: ['serverAuth'], ...options })
    const value = `spiffe://${this.trustDomain}${parseSpiffePath(spiffePath)}`
    return this.#issue([...names, { type: 'url', value }], options)
  }

  /** Issues an X.509-SVID with one thing wrong. */
  async broken(kind: BrokenCertificateKind, path: string): Promise<TestSvid> {
    return this.svid(
      path,
      breakCertificate(kind, { trustDomain: this.trustDomain, path, now: this.#now({}) }),
    )
  }

  /** Issues a CA with one thing wrong. What that one issues is correct, and must be refused nevertheless. */
  async brokenIntermediate(kind: BrokenIntermediateKind): Promise<TestCa> {
    return breakIntermediate(kind, this, this.#now({}))
  }

  async #issue(names: CertificateTemplate['names'], options: CertificateOptions): Promise<TestCertificate> {
    const { intermediates, issuer, keys } = this.#place
    const template = { ...draftLeaf(names, keys, this.#now(options)), ...options }
    const leaf = await issueCertificate(template, issuer)
    return toTestCertificate(leaf, template.isSelfSigned ? [] : intermediates)
  }

  #now(options: CertificateOptions): Date {
    return options.now ?? this.#place.now ?? new Date()
  }
}
