// Which Node runs the tasks: the workspace's own, or the one in use when it is new enough.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Failure } from './failure.mjs'

// The published packages need 22.12; the sources, which are TypeScript, need the Node that runs them as they are.
const oldest = { major: 22, minor: 18 }

/**
 * @param {string} root
 * @param {{ version: string, path: string }} [inUse] the Node that runs this script
 */
export function findNode(root, inUse = { version: process.version, path: process.execPath }) {
  // The npm package `node` brings it on every platform that it knows; what it brought may still not run here (musl).
  const bin = join(root, 'node_modules', 'node', 'bin')
  const own = [join(bin, 'node.exe'), join(bin, 'node')].find((path) => existsSync(path) && runs(path))
  if (own) return own
  if (isNewEnough(inUse.version)) return inUse.path
  const wanted = `Node ${oldest.major}.${oldest.minor} or newer`
  throw new Failure(
    `expected ${wanted}, got ${inUse.version.slice(1)}, and the copy that the set-up installs does not run here ` +
      `(${process.platform} ${process.arch}); install Node 24 and run the same command again`,
  )
}

/** @param {string} version as `process.version` gives it */
export function isNewEnough(version) {
  const [major = 0, minor = 0] = version.slice(1).split('.').map(Number)
  return major > oldest.major || (major === oldest.major && minor >= oldest.minor)
}

/** @param {string} path */
function runs(path) {
  const { status, stdout } = spawnSync(path, ['--version'], { encoding: 'utf8', timeout: 20_000 })
  return status === 0 && isNewEnough(stdout.trim())
}
