/** PEM of one value in DER (RFC 7468). */
export const pemOf = (der: Uint8Array, label = 'CERTIFICATE', eol = '\n'): string =>
  [
    `-----BEGIN ${label}-----`,
    ...(Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? []),
    `-----END ${label}-----`,
    '',
  ].join(eol)
