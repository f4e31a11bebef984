// Makes one X.509 certificate from a template. What a template says is written as it is, however wrong.
import 'reflect-metadata'
import type { webcrypto } from 'node:crypto'
import * as x509 from '@peculiar/x509'
import { generateCertificateKeys, keyForHash } from './certificate-keys.ts'
import type { CertificateTemplate } from './certificate-template.ts'

/** Who signs: a name and the keys that belong to it. */
export interface CertificateSigner {
  readonly commonName: string
  readonly keys: webcrypto.CryptoKeyPair
}

/** A certificate as DER, with the name and keys that it certifies. */
export interface IssuedCertificate extends CertificateSigner {
  readonly der: Uint8Array
}

/** Issues the certificate. Without an issuer it is self-signed. */
export async function issueCertificate(
  template: CertificateTemplate,
  issuer?: CertificateSigner,
): Promise<IssuedCertificate> {
  const { commonName, notBefore, notAfter, hash } = template
  const keys = await generateCertificateKeys(template.keys)
  const signer = template.isSelfSigned || !issuer ? { commonName, keys } : issuer
  const certificate = await x509.X509CertificateGenerator.create({
    subject: [{ CN: [commonName] }],
    issuer: [{ CN: [signer.commonName] }],
    notBefore,
    notAfter,
    publicKey: keys.publicKey,
    signingKey: await keyForHash(signer.keys.privateKey, hash),
    signingAlgorithm: { name: signer.keys.privateKey.algorithm.name, hash },
    extensions: [
      ...extensionsOf(template),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(signer.keys.publicKey),
    ],
  })
  return { commonName, keys, der: new Uint8Array(certificate.rawData) }
}

/** Certificates as PEM, in their order. */
export function certificatesToPem(ders: readonly Uint8Array[]): string {
  return ders.map((der) => `${x509.PemConverter.encode(der, 'CERTIFICATE')}\n`).join('')
}

function extensionsOf(template: CertificateTemplate): x509.Extension[] {
  const { basicConstraints, keyUsages, purposes, names, extensions } = template
  const found: x509.Extension[] = [
    new x509.BasicConstraintsExtension(basicConstraints.ca, basicConstraints.pathLength, true),
  ]
  const [usage, ...usages] = keyUsages.map((name) => x509.KeyUsageFlags[name])
  if (usage) {
    const bits = usages.reduce((all, bit) => all | bit, usage)
    found.push(new x509.KeyUsagesExtension(bits, true))
  }
  const oids = purposes.map((purpose) => purposeOids[purpose])
  if (oids.length) found.push(new x509.ExtendedKeyUsageExtension(oids))
  if (names.length) found.push(new x509.SubjectAlternativeNameExtension([...names]))
  return [...found, ...extensions.map(({ oid, critical, value }) => new x509.Extension(oid, critical, value))]
}

const purposeOids = { serverAuth: '1.3.6.1.5.5.7.3.1', clientAuth: '1.3.6.1.5.5.7.3.2', any: '2.5.29.37.0' }
