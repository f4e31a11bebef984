import { Generations, unweighed } from '../../cache/generations.ts'
import type { JwsHeader } from './compact-jws.ts'
import { deeplyFreeze } from './json-object.ts'

/**
 * Headers of tokens that were verified, by the text that they came in: an issuer has one for each of its keys, and it need not be read
 * anew for each token. What was refused is never kept, so garbage displaces nothing.
 */
export class KnownHeaders {
  readonly #headers = new Generations<JwsHeader>(maxHeaders, unweighed)

  /** `encoded`: the first part of a token, as it came. */
  find(encoded: string): JwsHeader | undefined {
    return this.#headers.find(encoded)
  }

  /** Only for a token that was verified. */
  keep(encoded: string, header: JwsHeader): void {
    if (encoded.length > maxLength || this.#headers.find(encoded) !== undefined) return
    deeplyFreeze(header)
    // A part of a token would keep the whole of it alive.
    this.#headers.insert(Buffer.from(encoded, 'latin1').toString('latin1'), header)
  }
}

const maxHeaders = 128
const maxLength = 512
