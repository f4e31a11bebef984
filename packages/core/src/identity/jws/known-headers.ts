import { Generations, unweighed } from '../../cache/generations.ts'
import type { JwsHeader } from './compact-jws.ts'
import { deeplyFreeze } from './json-object.ts'

/**
 * Headers of tokens that were verified, by the text that they came in: an issuer has one for each of its keys, and it need not be read
 * anew for each token. What was refused is never kept, so garbage displaces nothing.
 */
export class KnownHeaders {
  readonly #headers = new Generations<Known>(maxHeaders, unweighed)
  /** The one that came last: to compare a text that has just been read costs less than to hash it. */
  #last: Known | undefined

  /** `encoded`: the first part of a token, as it came. */
  find(encoded: string): JwsHeader | undefined {
    if (this.#last?.encoded === encoded) return this.#last.header
    const known = this.#headers.find(encoded)
    if (known !== undefined) this.#last = known
    return known?.header
  }

  /** Only for a token that was verified, and its own header. */
  keep(token: string, header: JwsHeader): void {
    if (header === this.#last?.header) return
    const end = token.indexOf('.')
    if (end > maxLength || this.#headers.find(token.slice(0, end)) !== undefined) return
    deeplyFreeze(header)
    // A part of a token would keep the whole of it alive.
    const encoded = Buffer.from(token.slice(0, end), 'latin1').toString('latin1')
    this.#headers.insert(encoded, { encoded, header })
  }
}

interface Known {
  readonly encoded: string
  readonly header: JwsHeader
}

const maxHeaders = 128
const maxLength = 512
