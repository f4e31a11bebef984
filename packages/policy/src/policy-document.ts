import type { DocumentSource } from '@countersign/core'
import type { PolicySource } from '@countersign/core/adapter'
import { PolicyError } from './policy-error.ts'
import { parsePolicy } from './policy/parse-policy.ts'

/**
 * A policy document for `createGuard({ policy })`: YAML or JSON as text, the path of a file, a URL, or a source of your own. The
 * guard reads it, checks it as a whole before it counts, and reads it again when it changes.
 */
export function policyDocument(source: DocumentSource): PolicySource {
  return Object.freeze({ source, parse: parseOctets })
}

const parseOctets: PolicySource['parse'] = (octets, name) => parsePolicy(decode(octets, name), name)

// Replacement characters would make other names of the ones that were written.
function decode(octets: Uint8Array, name: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(octets)
  } catch {
    const at = { path: '', line: 1, column: 1 }
    throw new PolicyError(name, [{ ...at, message: 'expected text in UTF-8, got other octets' }], 0)
  }
}
