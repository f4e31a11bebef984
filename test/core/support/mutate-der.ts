// Makes broken DER of good DER, the same for the same seed.
import type { Random } from './mutate-jws.ts'

const upTo = (random: Random, limit: number): number => Math.floor(random() * limit)

/** A value and what is in it, if it is a container; otherwise its octets. */
type Tree = readonly [tag: number, content: Buffer | readonly Tree[]]

function treeOf(octets: Buffer): readonly Tree[] {
  const trees: Tree[] = []
  for (let start = 0; start < octets.length;) {
    const tag = octets[start] ?? 0
    const first = octets[start + 1] ?? 0
    const count = first < 0x80 ? 0 : first & 0x7f
    const length = count === 0 ? first : octets.readUIntBE(start + 2, count)
    const content = octets.subarray(start + 2 + count, start + 2 + count + length)
    trees.push([tag, (tag & 0x20) === 0 ? content : treeOf(content)])
    start += 2 + count + length
  }
  return trees
}

function octetsOf([tag, content]: Tree): Buffer {
  const inner = Buffer.isBuffer(content) ? content : Buffer.concat(content.map(octetsOf))
  const { length } = inner
  const head = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...head]), inner])
}

/** Read and written again: the one spelling there is of what is in it. */
export const rewritten = (octets: Buffer): Buffer => Buffer.concat(treeOf(octets).map(octetsOf))

/** Changes octets where they stand, or one value in the tree, whose containers then fit again. */
export function mutateDer(original: Buffer, random: Random): Buffer {
  return random() < 0.4
    ? changeOctets(original, random)
    : Buffer.concat(changeTree(treeOf(original), random).map(octetsOf))
}

function changeOctets(original: Buffer, random: Random): Buffer {
  const position = upTo(random, original.length)
  const [before, after] = [original.subarray(0, position), original.subarray(position + 1)]
  const some = Buffer.from(Array.from({ length: upTo(random, 3) }, () => upTo(random, 256)))
  return Buffer.concat([before, some, after])
}

function changeTree(trees: readonly Tree[], random: Random): readonly Tree[] {
  const position = upTo(random, trees.length)
  const chosen = trees[position]
  if (chosen === undefined) return trees
  const [tag, content] = chosen
  const changed = (): readonly Tree[] => {
    if (!Buffer.isBuffer(content) && random() < 0.85) return [[tag, changeTree(content, random)]]
    const choice = upTo(random, 6)
    if (choice === 0) return []
    if (choice === 1) return [chosen, chosen]
    if (choice === 2) return [[upTo(random, 256), content]]
    if (choice === 3) return [[tag, Buffer.alloc(0)]]
    return [
      [
        tag,
        Buffer.isBuffer(content) ? changeOctets(Buffer.concat([content, Buffer.from([0])]), random) : content,
      ],
    ]
  }
  return [...trees.slice(0, position), ...changed(), ...trees.slice(position + 1)]
}
