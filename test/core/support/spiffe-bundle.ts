import type { TestCa } from '@countersign/testing'

/** DER of the one certificate in a PEM text. */
export const derOf = (pem: string): Buffer => Buffer.from(pem.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64')

/** The JSON of a trust domain's bundle with the roots of these authorities, and members beside them. */
export const bundleOf = (authorities: readonly TestCa[], members: object = {}): string =>
  JSON.stringify({
    keys: authorities.map(({ bundle }) => ({
      kty: 'EC',
      use: 'x509-svid',
      x5c: [derOf(bundle).toString('base64')],
    })),
    ...members,
  })
