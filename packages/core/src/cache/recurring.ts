import { Generations, unweighed } from './generations.ts'

/**
 * What is made of texts that come again and again in what issuers sign, such as the scopes of a client: made once, and shared by all
 * that is remembered with the same text. Bounded. INVARIANT: the text says all that is made of it, so it does not matter who asks.
 */
export class Recurring<T> {
  readonly #known = new Generations<T>(maxTexts, unweighed)

  of(text: string, make: (text: string) => T): T {
    if (text.length > maxLength) return make(text)
    const known = this.#known.find(text)
    if (known !== undefined) return known
    const made = make(text)
    this.#known.insert(text, made)
    return made
  }
}

const maxTexts = 1024
const maxLength = 512
