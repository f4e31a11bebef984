// docs/security.md says which adapters a threat runs through. Here that is held to the tests, and an adapter cannot be forgotten.
import { existsSync, readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { read, root, tableRowsBelow } from '../../docs/documents.ts'

const here = 'test/threats/adapters'
/** The ids with which the titles in these files begin. */
const idsIn = (...files: readonly string[]): ReadonlySet<string> =>
  new Set(files.flatMap((file) => read(file).match(/(?<=['"` ])T\d\d(?=[ '])/g) ?? []))

const suite = (...names: readonly string[]): readonly string[] =>
  names.map((name) => `${here}/suite/${name}.ts`)
const everywhere = idsIn(...suite('claims-of-identity', 'credentials', 'failures', 'loads', 'tokens'))
const overHttp = idsIn(...suite('handshakes', 'octets'), 'test/conformance/suite/tricks-of-urls.ts')

const rows = tableRowsBelow(read('docs/security.md'), '## Threats').map(
  ([id = '', , , proof = '', through = '']) => ({ id, proof, through }),
)
const idsThrough = (adapters: string): readonly string[] =>
  rows.filter(({ through }) => through === adapters).map(({ id }) => id)

describe('a threat runs through what the documentation says', () => {
  test('every adapter', () => {
    expect(idsThrough('every adapter').toSorted()).toEqual([...everywhere].toSorted())
  })

  test('every HTTP adapter', () => {
    const alone = [...overHttp].filter((id) => !everywhere.has(id))
    expect(idsThrough('every HTTP adapter').toSorted()).toEqual(alone.toSorted())
  })

  test('one adapter, or core', () => {
    const known = ['every adapter', 'every HTTP adapter', 'gRPC', 'decorators', 'core']
    expect(rows.filter(({ through }) => !known.includes(through))).toEqual([])
    expect(read(proofOf('gRPC'))).toMatch(/from '@countersign\/grpc'/)
    expect(read(proofOf('decorators'))).toMatch(/from '@countersign\/decorators'/)
  })
})

const proofOf = (adapter: string): string =>
  rows.find(({ through }) => through === adapter)?.proof.replaceAll('`', '') ?? ''

/** Whatever takes requests in for a guard. */
const adapters = readdirSync(`${root}packages`).filter((name) =>
  sourcesOf(`packages/${name}/src`).some((source) => source.includes('guard.admit(')),
)

function sourcesOf(folder: string): readonly string[] {
  if (folder === 'packages/core/src' || !existsSync(`${root}${folder}`)) return []
  return readdirSync(`${root}${folder}`, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => read(`${folder}/${file}`))
}

describe('the threats run', () => {
  test('through every adapter that there is', () => {
    expect(adapters.length).toBeGreaterThan(7)
    for (const name of adapters) expect(existsSync(`${root}${here}/${name}.test.ts`), name).toBe(true)
  })

  test('through every subject of the conformance suite that speaks HTTP', () => {
    const subjects = readdirSync(`${root}test/conformance/subjects`).flatMap((name) => {
      const source = read(`test/conformance/subjects/${name}`)
      return (source.match(/(?<=^export const )\w+(?=: [^=]*HttpSubject)/gm) ?? []).map((subject) => [
        name,
        subject,
      ])
    })
    expect(subjects.length).toBeGreaterThan(5)
    for (const [name = '', subject] of subjects) {
      expect(read(`${here}/${name.replace(/\.ts$/, '.test.ts')}`), name).toContain(subject)
    }
  })
})
