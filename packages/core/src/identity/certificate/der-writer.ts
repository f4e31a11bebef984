/** One value in DER: its tag, its length in the shortest form (X.690 §10.1), its content. Of what is written here, all is short. */
export function derValue(tag: number, ...content: readonly Uint8Array[]): Uint8Array {
  const inner = Buffer.concat(content)
  const { length } = inner
  if (length > 0xffff) throw new RangeError('a value longer than any that is written here')
  const head = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Uint8Array.of(tag, ...head), inner])
}
