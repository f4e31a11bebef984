import { ConfigurationError } from '@countersign/core'
import { quoted, type Place } from '@countersign/core/adapter'
import { describeNode, type DocumentNode, type Entry } from './document-node.ts'
import { suggestionFor } from './nearest.ts'
import { Problems } from './problems.ts'

/** The values behind the known keys of a mapping. */
export type Fields<Key extends string> = { readonly [Name in Key]?: DocumentNode }

/** Reads values of the kinds that are expected. Whatever is something else is told, and is undefined. */
export class Reader {
  readonly problems: Problems = new Problems()

  refuse({ at }: { readonly at: Place }, problem: string): undefined {
    this.problems.add(at, problem)
  }

  expected(node: DocumentNode, what: string): undefined {
    return this.refuse(node, `expected ${what}, got ${describeNode(node)}`)
  }

  /** `what` says what is expected with an example, such as `a list of zones, such as [shop]`. */
  items(node: DocumentNode, what: string): readonly DocumentNode[] | undefined {
    return node.kind === 'list' ? node.items : this.expected(node, what)
  }

  entries(node: DocumentNode, what: string): readonly Entry[] | undefined {
    return node.kind === 'mapping' ? node.entries : this.expected(node, what)
  }

  /** Text in one line, without what would not be seen in it. */
  text(node: DocumentNode, what: string): string | undefined {
    const text = this.lines(node, what)
    if (text === undefined || !unseen.test(text)) return text
    return this.refuse(node, `expected ${what}, and it has characters that cannot be seen or end the line`)
  }

  /** Text that may have several lines. */
  lines(node: DocumentNode, what: string): string | undefined {
    if (node.kind !== 'scalar' || typeof node.value !== 'string' || node.value.trim() === '') {
      return this.expected(node, what)
    }
    return node.value.length > maxTextLength
      ? this.refuse(node, `expected ${what}, of at most ${maxTextLength} characters`)
      : node.value
  }

  /** One of several words. */
  word<Word extends string>(node: DocumentNode, words: readonly Word[]): Word | undefined {
    const word = words.find((each) => node.kind === 'scalar' && node.value === each)
    return word ?? this.expected(node, words.join(' or '))
  }

  /** A misspelt key would otherwise be a rule that nobody follows. */
  fields<Key extends string>(
    node: DocumentNode,
    keys: readonly Key[],
    what: string,
  ): Fields<Key> | undefined {
    const entries = this.entries(node, what)
    const known = new Map<string, DocumentNode>()
    for (const entry of entries ?? []) {
      if (keys.some((key) => key === entry.key)) known.set(entry.key, entry.value)
      else this.refuse(entry, `there is no such key: ${suggestionFor(entry.key, keys)}${commaAdvice(entry)}`)
    }
    return entries && (Object.fromEntries(known) as Fields<Key>) // of known keys only
  }

  /** Says that a name stands for nothing, and which one was probably meant. */
  unknown(node: { readonly at: Place }, name: string, kind: string, known: Iterable<string>): undefined {
    return this.refuse(node, `there is no ${kind} ${quoted(name)}: ${suggestionFor(name, [...known])}`)
  }

  /** Makes something that has its own opinion of what can be written. */
  attempt<T>(node: DocumentNode, make: () => T): T | undefined {
    try {
      return make()
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error
      const told = error.problem.includes('got ') ? '' : `, got ${describeNode(node)}`
      return this.refuse(node, `${error.problem}${told}`)
    }
  }
}

// `{ unprotected: liveness probe, returns no data }` are two keys.
const commaAdvice = ({ key, value }: Entry): string =>
  key.includes(' ') && value.kind === 'scalar' && value.value === null
    ? '. If it belongs to the text before the comma, put all of that in quotes'
    : ''

const unseen = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u
const maxTextLength = 4096
