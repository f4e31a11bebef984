import { isAlias, isMap, isPair, isScalar, isSeq, type Node } from 'yaml'
import type { Place } from '@countersign/core/adapter'
import { pathOf, type DocumentNode, type Entry, type ScalarNode } from './document-node.ts'
import { parseYaml, type ParsedYaml } from './parse-yaml.ts'
import type { Problems } from './problems.ts'

/**
 * Reads a document as plain values with their places. Whatever means one thing to one reader and another thing to the next
 * is refused: tags, anchors and aliases, duplicate keys, and the words that YAML 1.1 took for booleans.
 */
export function readTree(text: string, problems: Problems): DocumentNode | undefined {
  const parsed = parseYaml(text.replace(/^\uFEFF/, ''), problems)
  if (parsed === undefined) return undefined
  return new TreeReader(parsed, problems).node(parsed.document.contents, '', 0)
}

class TreeReader {
  readonly #placeOf: ParsedYaml['placeOf']
  readonly #problems: Problems

  constructor({ placeOf }: ParsedYaml, problems: Problems) {
    this.#placeOf = placeOf
    this.#problems = problems
  }

  node(node: unknown, path: string, parentOffset: number): DocumentNode {
    const offset = (node as Node | null)?.range?.[0] ?? parentOffset // what the parser made: a node, or null for nothing
    const at = this.#placeOf(path, offset)
    this.#refuseProperties(node, at)
    if (isSeq(node)) {
      const items = node.items.map((item, i) => this.node(item, `${path}[${i}]`, offset))
      return { kind: 'list', items, at }
    }
    if (isMap(node)) return { kind: 'mapping', entries: this.#entries(node.items, path, offset), at }
    return isScalar(node) ? this.#scalar(node, at) : { kind: 'scalar', value: null, at }
  }

  #entries(pairs: readonly unknown[], path: string, offset: number): readonly Entry[] {
    const keys = new Map<string, Place>()
    return pairs.filter(isPair).flatMap(({ key, value }) => {
      const keyOffset = (key as Node | null)?.range?.[0] ?? offset // as above
      const keyNode = this.node(key, path, keyOffset)
      if (keyNode.kind !== 'scalar' || keyNode.value === null || keyNode.value === '') {
        this.#problems.add(keyNode.at, 'expected a name before the colon')
        return []
      }
      // `12:` and `true:` are names here, spelled as they are written.
      const name = isScalar(key) && typeof key.source === 'string' ? key.source : String(keyNode.value)
      const at = this.#placeOf(pathOf(path, name), keyOffset)
      const first = keys.get(name)
      if (first !== undefined) {
        this.#problems.add(
          at,
          `the key is written twice: first in line ${first.line}, column ${first.column}`,
        )
        return []
      }
      keys.set(name, at)
      return [{ key: name, at, value: this.node(value, at.path, keyOffset) }]
    })
  }

  #scalar(
    { value, type, source }: { value: unknown; type?: string; source?: string },
    at: Place,
  ): ScalarNode {
    if (type === 'PLAIN' && typeof source === 'string' && /^(?:yes|no|on|off)$/i.test(source)) {
      this.#problems.add(
        at,
        `\`${source}\` is a boolean in YAML 1.1 and text in YAML 1.2: write true, false, or '${source}'`,
      )
    }
    const isKnown = value === null || typeof value === 'string' || typeof value === 'boolean'
    if (isKnown) return { kind: 'scalar', value, at }
    // 2^53 and beyond would be another number than the one that is written.
    if (typeof value === 'number' && Number.isFinite(value) && Math.abs(value) <= Number.MAX_SAFE_INTEGER) {
      return { kind: 'scalar', value, at }
    }
    this.#problems.add(at, 'a number that cannot be held exactly: put it in quotes')
    return { kind: 'scalar', value: null, at }
  }

  #refuseProperties(node: unknown, at: Place): void {
    if (isAlias(node)) this.#problems.add(at, 'aliases are not supported: write out what it stands for')
    else if (isScalar(node) || isMap(node) || isSeq(node)) {
      if (node.anchor !== undefined) this.#problems.add(at, 'anchors are not supported: leave it out')
      if (node.tag !== undefined && node.tag !== '!') {
        this.#problems.add(at, 'tags are not supported: leave it out')
      }
    }
  }
}
