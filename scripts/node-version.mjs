// `node scripts/node-version.mjs 26.10.0`: prints the path of exactly that Node, and installs it first when needed.
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Failure } from './run/failure.mjs'

const root = fileURLToPath(new URL('../', import.meta.url))

/** @param {string} version */
export function nodeAt(version) {
  // Below node_modules, so that git, the linter and the next `npm ci` of a clone treat it as what it is.
  const cache = join(root, 'node_modules', '.cache', 'node', version)
  const found = [root, cache].map(nodeIn).find((path) => versionOf(path) === `v${version}`)
  if (found) return found
  mkdirSync(cache, { recursive: true })
  writeFileSync(join(cache, 'package.json'), '{ "private": true }\n')
  const install = `npm install --no-audit --no-fund --json=false node@${version}`
  const { stdout, stderr } = spawnSync(install, { cwd: cache, encoding: 'utf8', shell: true })
  if (versionOf(nodeIn(cache)) === `v${version}`) return nodeIn(cache)
  throw new Failure(`Node ${version} could not be installed\n${stdout}${stderr}`)
}

/** @param {string} folder */
function nodeIn(folder) {
  return join(folder, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
}

/** @param {string} path */
function versionOf(path) {
  return spawnSync(path, ['--version'], { encoding: 'utf8' }).stdout?.trim()
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    console.log(nodeAt(process.argv[2] ?? ''))
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    console.error(`countersign: ${error.message}`)
    process.exitCode = 1
  }
}
