// A user's project: our packages as they are published, and peers, in the `node_modules` of a folder of its own.
import { execFileSync } from 'node:child_process'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))
const ours = ['core', 'express']

/** What a package brings with it, each package once. */
export interface Size {
  readonly packages: number
  readonly files: number
  readonly bytes: number
}

/** Builds our packages, and puts them beside these. Returns the folder, which is the caller's to remove. */
export function installPackages(peers: readonly string[]): string {
  const task = ['scripts/run.mjs', 'build', ...ours]
  execFileSync(process.execPath, task, { cwd: root, stdio: 'inherit' })
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'countersign-bench-')))
  for (const name of ours) {
    const [from, to] = [join(root, 'packages', name), join(folder, 'node_modules', '@countersign', name)]
    cpSync(join(from, 'dist'), join(to, 'dist'), {
      recursive: true,
      filter: (path) => !path.endsWith('.tsbuildinfo'),
    })
    cpSync(join(from, 'README.md'), join(to, 'README.md'))
    cpSync(join(root, 'LICENSE'), join(to, 'LICENSE'))
    const { publishConfig, ...manifest } = manifestOf(from)
    writeFileSync(join(to, 'package.json'), JSON.stringify({ ...manifest, ...publishConfig }))
  }
  for (const name of ['jose', ...peers]) {
    const link = join(folder, 'node_modules', name)
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(realpathSync(join(import.meta.dirname, 'node_modules', name)), link)
  }
  return folder
}

/** Of these packages together, with all that they depend on. */
export function sizeOf(folder: string, names: readonly string[]): Size {
  const seen = new Set<string>()
  const add = (name: string, from: string): void => {
    const found = folderOf(name, from)
    if (seen.has(found)) return
    seen.add(found)
    for (const dependency of Object.keys(manifestOf(found).dependencies ?? {})) add(dependency, found)
  }
  for (const name of names) add(name, folder)
  const files = [...seen].flatMap((each) => filesIn(each))
  const bytes = files.reduce((sum, file) => sum + statSync(file).size, 0)
  return { packages: seen.size, files: files.length, bytes }
}

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>
  readonly publishConfig?: object
}

const manifestOf = (folder: string): Manifest =>
  JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))

/** As Node looks for it, whatever the package exports. */
function folderOf(name: string, from: string): string {
  const places = createRequire(join(from, 'package.json')).resolve.paths(name) ?? []
  const place = places.find((each) => statSync(join(each, name), { throwIfNoEntry: false }) !== undefined)
  if (place === undefined) throw new Error(`expected ${name} to be installed`)
  return realpathSync(join(place, name))
}

const filesIn = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.parentPath.slice(folder.length).includes('node_modules'))
    .map(({ parentPath, name }) => join(parentPath, name))
