import { Generations, unweighed } from './generations.ts'

interface Made<T> {
  readonly text: string
  readonly value: T
}

/**
 * What is made of texts that come again and again in what issuers sign, such as the scopes of a client: made once, and shared by all
 * that is remembered with the same text. Bounded. INVARIANT: the text says all that is made of it, so it does not matter who asks.
 */
export class Recurring<T> {
  readonly #known = new Generations<Made<T>>(maxTexts, unweighed)
  /** The last of each length: to compare a text that has just been read costs less than to hash it. */
  readonly #last: (Made<T> | undefined)[] = Array.from({ length: lengths }, () => undefined)

  of(text: string, make: (text: string) => T): T {
    const slot = text.length % lengths
    const last = this.#last[slot]
    if (last?.text === text) return last.value
    if (text.length > maxLength) return make(text)
    const made = this.#known.find(text) ?? this.#make(text, make)
    this.#last[slot] = made
    return made.value
  }

  #make(text: string, make: (text: string) => T): Made<T> {
    const made = { text, value: make(text) }
    this.#known.insert(text, made)
    return made
  }
}

const maxTexts = 1024
const maxLength = 512
const lengths = 64
