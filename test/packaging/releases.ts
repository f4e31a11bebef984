// Which releases of the frameworks are installed: both ends of what the packages themselves say they work with.
import { readFileSync } from 'node:fs'
import { tarballs } from './tarballs.ts'

export type Releases = Readonly<Record<string, string>>

const tests: Readonly<Record<'dependencies' | 'devDependencies', Releases>> = JSON.parse(
  readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
)
/** What all other tests run with. */
export const tested: Releases = { ...tests.dependencies, ...tests.devDependencies }

const peers = tarballs.flatMap(({ name, manifest }) =>
  Object.entries(manifest.peerDependencies ?? {}).map(([peer, range]) => ({ name, manifest, peer, range })),
)

/** The release that each range of `peerDependencies` begins with. */
export const lowest: Releases = Object.fromEntries(peers.map(({ peer, range }) => [peer, lowestOf(range)]))

/** What the packages are developed with. */
export const newest: Releases = Object.fromEntries(
  peers.map(({ name, manifest, peer }) => {
    const release = manifest.devDependencies?.[peer] ?? tested[peer]
    if (release === undefined) throw new Error(`${name} is developed without ${peer}, its peer`)
    return [peer, release]
  }),
)

/** The peers that users may leave out. */
export const optional: readonly string[] = peers
  .filter(({ manifest, peer }) => manifest.peerDependenciesMeta?.[peer]?.optional === true)
  .map(({ peer }) => peer)

// Such a release has to exist: it is installed.
function lowestOf(range: string): string {
  const [, from] = /^>=(\d+(?:\.\d+){0,2}) <\d+(?:\.\d+)?$/.exec(range) ?? []
  if (from === undefined) throw new Error(`expected a range such as \`>=4.18 <6\`, got \`${range}\``)
  return [...from.split('.'), '0', '0'].slice(0, 3).join('.')
}
