import type { Server } from 'node:tls'
import { ConfigurationError } from '../configuration-error.ts'

/**
 * Throws a ConfigurationError where a server was made with options that a replacement of its context would take away again: a list of
 * revoked certificates, for one, must not seem to count until then.
 */
export function requireNothingLost(server: Server, kept: Readonly<Record<string, unknown>>): void {
  const lost = contextOptions.find((name) => {
    const given: unknown = Reflect.get(server, name)
    return given !== undefined && given !== kept[name]
  })
  if (lost === undefined) return
  throw new ConfigurationError(
    lost,
    'a replacement of the certificate would not keep it: leave it out of the options of the server, or write it in `tlsOptions({ … })` if that has it',
  )
}

/** Options of the secure context that servers keep as members, where they were given. */
const contextOptions = [
  'crl',
  'ciphers',
  'sigalgs',
  'ecdhCurve',
  'dhparam',
  'minVersion',
  'maxVersion',
  'pfx',
  'passphrase',
  'secureOptions',
  'honorCipherOrder',
  'ticketKeys',
]
