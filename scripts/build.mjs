// `node scripts/build.mjs [package…]`: what is published, in `dist`: declarations by the compiler, one for each source; and code by esbuild, one
// file for each entry and what they share. Node takes longer to find three hundred small modules than to run what is in them.
import { spawnSync } from 'node:child_process'
import { globSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('../', import.meta.url))
const asked = process.argv.slice(2)
const names = asked.length > 0 ? asked : globSync('*', { cwd: join(root, 'packages') }).filter(isPackage)

// Made anew: what a deleted source once became would be published otherwise.
for (const name of names) rmSync(join(root, 'packages', name, 'dist'), { recursive: true, force: true })
const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc')
const projects = names.map((name) => join(root, 'packages', name))
const { status } = spawnSync(process.execPath, [tsc, '-b', ...projects], { stdio: 'inherit' })
if (status === 0) await Promise.all(names.map(bundle))
else process.exitCode = 1

/** @param {string} name */
function isPackage(name) {
  return globSync(join(root, 'packages', name, 'package.json')).length > 0
}

/** @param {string} name */
async function bundle(name) {
  const folder = join(root, 'packages', name)
  /** @type {{ exports: Record<string, string>, publishConfig: { exports: Record<string, string | { default: string }> } }} */
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  await build({
    absWorkingDir: folder,
    entryPoints: Object.values(manifest.exports).filter((path) => path.endsWith('.ts')),
    outdir: 'dist',
    outbase: 'src',
    chunkNames: 'shared/[name]-[hash]',
    bundle: true,
    // INVARIANT: what several entries share is there once, or a guard of one would be none for the other.
    splitting: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node22.12',
    charset: 'utf8',
    logLevel: 'warning',
  })
}
