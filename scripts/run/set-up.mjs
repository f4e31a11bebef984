// Installs the dependencies when the lockfile says that something else than what is there is needed.
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Failure } from './failure.mjs'
import { install } from './pnpm.mjs'

/** @param {string} root */
export async function setUp(root) {
  const stamp = join(root, 'node_modules', '.countersign-setup')
  const wanted = stampFor(readLockfile(root))
  if (readIfThere(stamp) === wanted) return
  requireWritable(dirname(stamp))
  console.error('countersign: setting up (installs what the lockfile names; the first time takes a minute) …')
  await install(root)
  // Written last: a set-up that was cut short is done again.
  writeFileSync(stamp, wanted)
}

/**
 * Native parts differ by platform, and a folder can be seen from two (a container's volume).
 * @param {string} lockfile
 * @param {{ platform: string, arch: string }} machine
 */
export function stampFor(lockfile, { platform, arch } = process) {
  return `${createHash('sha256').update(lockfile).digest('hex')} ${platform} ${arch}\n`
}

/** @param {string} root */
function readLockfile(root) {
  const lockfile = readIfThere(join(root, 'pnpm-lock.yaml'))
  if (lockfile === undefined) throw new Failure(`expected pnpm-lock.yaml in ${root}: is this clone complete?`)
  return lockfile
}

/** @param {string} path */
function readIfThere(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

// Asked before the package manager is: its own answer comes late and is long.
/** @param {string} folder */
function requireWritable(folder) {
  try {
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, '.countersign-setup'), '')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown reason'
    throw new Failure(`the dependencies cannot be installed, because ${folder} cannot be written (${code})`)
  }
}
