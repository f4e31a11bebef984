// `node scripts/debian-package.mjs glewlwyd`: prints the folder that a Debian package is unpacked in, and unpacks it first
// when needed. Nothing is installed, no package's scripts are run, and no rights are needed.
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Failure } from './run/failure.mjs'

const root = fileURLToPath(new URL('../', import.meta.url))

/**
 * A folder with what the package holds, and with the libraries that it needs and this machine lacks.
 * @param {string} name
 * @returns {Promise<string>}
 */
export async function debianPackage(name) {
  // Below node_modules, so that git, the linter and the next `npm ci` of a clone treat it as what it is.
  const cache = join(root, 'node_modules', '.cache', 'debian')
  const folder = join(cache, name)
  if (existsSync(folder)) return folder
  const apt = aptBelow(join(cache, 'apt'))
  await apt('update')
  // What is installed is left out of the plan; the package itself is not, should somebody have installed it.
  const plan = await apt('install', '--simulate', '--reinstall', '--no-install-recommends', name)
  const missing = [...plan.matchAll(/^Inst (\S+)/gm)].map(([, each = '']) => each)
  // Its parts and its libraries: what else it depends on serves a machine that it is installed on.
  await apt('download', ...missing.filter((each) => each.startsWith(name) || each.startsWith('lib')))
  const unpacked = `${folder}.unpacking`
  rmSync(unpacked, { recursive: true, force: true })
  const archives = join(cache, 'apt', 'archives')
  for (const file of readdirSync(archives).filter((each) => each.endsWith('.deb'))) {
    await run('dpkg-deb', ['--extract', join(archives, file), unpacked], archives)
  }
  // Last, so that what was cut short is done again.
  renameSync(unpacked, folder)
  return folder
}

/**
 * APT with lists and archives of its own, which no root is needed for.
 * @param {string} folder
 */
function aptBelow(folder) {
  const archives = join(folder, 'archives')
  for (const each of ['lists/partial', 'archives/partial']) mkdirSync(join(folder, each), { recursive: true })
  const options = [
    ['Dir::State::Lists', join(folder, 'lists')],
    ['Dir::Cache', folder],
    ['Debug::NoLocking', '1'],
    ['Acquire::Retries', '3'],
    // Otherwise root downloads as a user who may not write here.
    ['APT::Sandbox::User', ''],
  ].flatMap(([name, value]) => ['-o', `${name}=${value}`])
  return (/** @type {string[]} */ ...words) => run('apt-get', ['-qq', ...options, ...words], archives)
}

/**
 * @param {string} command
 * @param {string[]} args
 * @param {string} cwd
 */
async function run(command, args, cwd) {
  const options = { cwd, env: { ...process.env, LC_ALL: 'C' }, timeout: 120_000, maxBuffer: 16_000_000 }
  try {
    const { stdout } = await promisify(execFile)(command, args, options)
    return stdout
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new Failure(`the Debian package could not be had, because \`${command}\` failed: ${why}`)
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    console.log(await debianPackage(process.argv[2] ?? ''))
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    console.error(`countersign: ${error.message}`)
    process.exitCode = 1
  }
}
