// `node scripts/mutation/mutate.mjs [room …] [--option …]`: mutation tests, one room after the other. What starts with a dash is
// for Stryker.
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { testsOfRooms } from './rooms.mjs'

const options = process.argv.slice(2).filter((arg) => arg.startsWith('-'))
const named = process.argv.slice(2).filter((arg) => !arg.startsWith('-'))
const unknown = named.find((room) => !Object.hasOwn(testsOfRooms, room))

if (unknown !== undefined) {
  const known = Object.keys(testsOfRooms).join(', ')
  console.error(`countersign: expected rooms out of ${known}, got \`${unknown}\``)
  process.exitCode = 1
} else {
  const rooms = named.length > 0 ? named : Object.keys(testsOfRooms)
  const failed = rooms.filter((room) => mutate(room) !== 0)
  if (failed.length > 0) console.error(`countersign: too many mutants survive in ${failed.join(', ')}`)
  process.exitCode = failed.length > 0 ? 1 : 0
}

/** @param {string} room */
function mutate(room) {
  console.log(`=== ${room}`)
  const folder = dirname(createRequire(import.meta.url).resolve('@stryker-mutator/core/package.json'))
  const { status } = spawnSync(process.execPath, [join(folder, 'bin', 'stryker.js'), 'run', ...options], {
    stdio: 'inherit',
    env: { ...process.env, MUTATED_ROOM: room },
  })
  return status ?? 1
}
