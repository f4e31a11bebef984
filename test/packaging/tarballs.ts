// Builds and packs every package as it would be published, once per run.
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { pnpmCommand } from '../../scripts/run/pnpm.mjs'
import { run } from './run.ts'

const root: string = fileURLToPath(new URL('../../', import.meta.url))

export interface Tarball {
  readonly name: string
  readonly path: string
  /** What is in it, without the leading `package/`. */
  readonly files: readonly string[]
  readonly manifest: Manifest
  /** What one of the files says. */
  text(file: string): Promise<string>
}

export interface Manifest {
  readonly name: string
  readonly license?: string
  readonly engines?: { readonly node?: string }
  readonly peerDependencies?: Readonly<Record<string, string>>
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>
  /** What it is developed with, of its peers among others. */
  readonly devDependencies?: Readonly<Record<string, string>>
  /** A string for what is data and no code. */
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>
}

export const tarballs: readonly Tarball[] = await packAll()

/** Every name under which something can be imported: `@countersign/core`, `@countersign/core/adapter`, … */
export const entries: readonly string[] = tarballs.flatMap(({ name, manifest }) =>
  Object.entries(manifest.exports).flatMap(([subpath, target]) =>
    typeof target === 'string' ? [] : [name + subpath.slice(1)],
  ),
)

async function packAll(): Promise<Tarball[]> {
  await run(process.execPath, ['scripts/run.mjs', 'build'], { cwd: root })

  const destination = mkdtempSync(join(tmpdir(), 'countersign-packed-'))
  process.once('exit', () => rmSync(destination, { recursive: true, force: true }))
  const [pnpm, ...pnpmArgs] = pnpmCommand(root)
  const pack = ['--recursive', '--filter', './packages/*', 'pack', '--pack-destination', destination]
  await run(pnpm, [...pnpmArgs, ...pack], { cwd: root })
  const packed = globSync('*.tgz', { cwd: destination }).toSorted()
  return Promise.all(packed.map((file) => read(join(destination, file))))
}

async function read(path: string): Promise<Tarball> {
  const where = { cwd: dirname(path) }
  const listed = (await run('tar', ['-tzf', path], where)).trim().split('\n')
  const files = listed.map((file) => file.replace(/^package\//, ''))
  const text = (file: string) => run('tar', ['-xzOf', path, `package/${file}`], where)
  const manifest: Manifest = JSON.parse(await text('package.json'))
  return { name: manifest.name, path, files, manifest, text }
}

/** Runs a tool of the workspace, at the workspace's root. */
export function tool(...words: readonly string[]): Promise<string> {
  return run(process.execPath, ['scripts/run.mjs', 'exec', ...words], { cwd: root })
}

/** As it is before anything was packed. */
export const version: string = JSON.parse(
  readFileSync(join(root, 'packages/core/package.json'), 'utf8'),
).version
