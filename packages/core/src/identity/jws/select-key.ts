import { Refusal, quoted } from '../../refusal.ts'

/** The one key that may have made a signature. Several, or none, is a refusal: keys are never tried in turn. */
export function selectKey<Key extends { readonly kid?: string | undefined }>(
  keys: Iterable<Key>,
  { alg, kid }: { readonly alg: string; readonly kid: string | undefined },
  fits: (key: Key) => boolean,
): Key | Refusal {
  let found: Key | undefined
  for (const key of keys) {
    if ((kid !== undefined && key.kid !== kid) || !fits(key)) continue
    if (found !== undefined) {
      return new Refusal('key_ambiguous', { expected: `one key for ${named(alg, kid)}`, actual: 'several' })
    }
    found = key
  }
  return found ?? new Refusal('key_unknown', { expected: 'a key of the set', actual: named(alg, kid) })
}

const named = (alg: string, kid: string | undefined): string =>
  kid === undefined ? `${alg} without \`kid\`` : `${alg} and \`kid\` ${quoted(kid)}`
