// Changes to the octets behind the text: what transport errors and patient attackers do. Nothing is signed anew.
import type { Dice } from '../dice.ts'
import { segmentsOf, type Original } from '../original.ts'
import type { Mutations } from './mutation.ts'

const names = ['header', 'payload', 'signature'] as const

export const octetMutations: Mutations = Object.fromEntries(
  names.flatMap((name, at) => [
    [
      `a bit of the ${name}`,
      (original: Original, dice: Dice) => changedAt(original, at, (it) => flip(it, dice)),
    ],
    [
      `an octet more or less in the ${name}`,
      (original: Original, dice: Dice) => changedAt(original, at, (it) => resize(it, dice)),
    ],
  ]),
)

function changedAt(original: Original, at: number, change: (octets: Buffer) => Buffer): string {
  const segments = [...segmentsOf(original)]
  segments[at] = change(Buffer.from(segments[at] ?? '', 'base64url')).toString('base64url')
  return segments.join('.')
}

function flip(octets: Buffer, dice: Dice): Buffer {
  const at = dice.below(octets.length)
  octets[at] = (octets[at] ?? 0) ^ (1 << dice.below(8))
  return octets
}

function resize(octets: Buffer, dice: Dice): Buffer {
  const some = Buffer.from([dice.pick([0, 0x20, 0x0a, 0xff, dice.below(256)])])
  return dice.pick([
    octets.subarray(0, -1),
    octets.subarray(1),
    Buffer.concat([octets, some]),
    Buffer.concat([some, octets]),
    octets.subarray(0, octets.length >> 1),
    Buffer.concat([octets, octets]),
  ])
}
