import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { testsOfRooms } from '../../scripts/mutation/rooms.mjs'
import { Failure } from '../../scripts/run/failure.mjs'
import { findNode, isNewEnough } from '../../scripts/run/node.mjs'
import { stampFor } from '../../scripts/run/set-up.mjs'
import { createClone, outcomeOf, type Clone } from './clone.ts'

function createReadyClone(): Clone {
  const clone = createClone()
  clone.write('node_modules/.countersign-setup', stampFor('lockfileVersion: 9.0\n'))
  return clone
}

/** A workspace Node: the one that runs this test, under a version of its own choice. */
const nodeThatSays = (version: string) =>
  `#!/bin/sh\n[ "$1" = --version ] && echo ${version} && exit 0\nexec ${JSON.stringify(process.execPath)} "$@"\n`

describe('the Node that runs the tasks', () => {
  test.each(['v22.18.0', 'v22.23.3', 'v24.0.0', 'v26.10.0'])('may be %s', (version) => {
    expect(isNewEnough(version)).toBe(true)
  })
  test.each(['v18.20.8', 'v20.20.2', 'v22.12.0', 'v22.17.9', ''])('may not be %j', (version) => {
    expect(isNewEnough(version)).toBe(false)
  })

  const old = { version: 'v20.20.2', path: '/old/node' }
  const recent = { version: 'v22.18.0', path: '/recent/node' }

  test("is the workspace's own", () => {
    using clone = createReadyClone()
    clone.write('node_modules/node/bin/node', nodeThatSays('v24.21.0'))
    expect(findNode(clone.root, old)).toBe(join(clone.root, 'node_modules', 'node', 'bin', 'node'))
  })

  test('is the one in use where the workspace has none that runs', () => {
    using clone = createReadyClone()
    expect(findNode(clone.root, recent)).toBe('/recent/node')
    clone.write('node_modules/node/bin/node', '#!/bin/sh\nexit 1\n')
    expect(findNode(clone.root, recent)).toBe('/recent/node')
  })

  test('is asked for when neither will do', () => {
    using clone = createReadyClone()
    expect(() => findNode(clone.root, old)).toThrow(Failure)
    expect(() => findNode(clone.root, old)).toThrow(
      /expected Node 22\.18 or newer, got 20\.20\.2.*; install Node 24/,
    )
  })
})

describe.skipIf(process.platform === 'win32')('a task', () => {
  test('sees its Node first in the PATH', async () => {
    using clone = createReadyClone()
    clone.write('node_modules/node/bin/node', nodeThatSays('v24.21.0'))
    clone.write('examples/mesh-demo/src/demo.ts', 'console.log(process.env.PATH)')
    const { stdout } = await clone.run(['scripts/run.mjs', 'demo'])
    expect(stdout.split(':')[0]).toBe(join(clone.root, 'node_modules', 'node', 'bin'))
  })

  test.each([0, 1, 42])('gives its exit code %i', async (code) => {
    using clone = createReadyClone()
    clone.write('examples/mesh-demo/src/demo.ts', `process.exit(${code})`)
    expect((await clone.run(['scripts/run.mjs', 'demo'])).code).toBe(code)
  })

  test('gives 128 and the number of the signal that ended it', async () => {
    using clone = createReadyClone()
    clone.write('examples/mesh-demo/src/demo.ts', `process.kill(process.pid, 'SIGKILL')`)
    expect((await clone.run(['scripts/run.mjs', 'demo'])).code).toBe(128 + 9)
  })

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    'may clean up at %s before the command ends',
    async (signal) => {
      using clone = createReadyClone()
      clone.write('examples/mesh-demo/src/demo.ts', cleansUpAt(signal))
      const child = clone.start(['scripts/run.mjs', 'demo'])
      await once(child.stdout, 'data')
      const outcome = outcomeOf(child)
      child.kill(signal)
      expect(await outcome).toMatchObject({ code: 5, stdout: 'cleaned up\n' })
    },
  )

  test('is told when the npm that started it has gone', async () => {
    using clone = createReadyClone()
    clone.write('examples/mesh-demo/src/demo.ts', cleansUpAt('SIGTERM'))
    // As under npm, a shell stands between; this one ends when its input does, and tells nobody.
    const shell = clone.startShell('node scripts/run.mjs demo & read line', { npm_lifecycle_event: 'demo' })
    await once(shell.stdout, 'data')
    expect((await outcomeOf(shell)).stdout).toBe('cleaned up\n')
  })

  test('may be a tool of the workspace', async () => {
    using clone = createReadyClone()
    const { stdout } = await clone.run(['scripts/run.mjs', 'exec', 'tool', '--fix', 'a b', '$HOME'])
    expect(stdout).toBe('tool --fix a b $HOME\n')
  })

  test('may be mutation tests, of all rooms or of those that are named', async () => {
    using clone = createReadyClone()
    const folder = 'node_modules/@stryker-mutator/core'
    clone.write(`${folder}/package.json`, '{}')
    const stryker = 'console.log(process.env.MUTATED_ROOM, ...process.argv.slice(2))'
    clone.write(`${folder}/bin/stryker.js`, `${stryker}; process.exitCode = Number(process.env.SURVIVORS)`)
    const mutate = (args: readonly string[], survivors = '0') =>
      clone.run(['scripts/run.mjs', 'mutate', ...args], { SURVIVORS: survivors })
    expect((await mutate(['policy', '--force', 'identity/jws'])).stdout).toBe(
      '=== policy\npolicy run --force\n=== identity/jws\nidentity/jws run --force\n',
    )
    expect((await mutate([])).stdout.match(/^===/gm)).toHaveLength(Object.keys(testsOfRooms).length)
    expect(await mutate(['policy', 'decision'], '1')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('survive in policy, decision'),
    })
    expect(await mutate(['police'])).toMatchObject({ code: 1, stderr: expect.stringContaining('`police`') })
  })

  test.each([
    [[], /expected a task; there are:\n {2}demo /],
    [['constructor'], /expected a task, got `constructor`/],
    [['exec'], /expected a tool after/],
    [['exec', 'toString'], /expected a tool of this workspace, got `toString`/],
  ])('%j is explained without a stack trace', async (words, message) => {
    using clone = createReadyClone()
    const { code, stdout, stderr } = await clone.run(['scripts/run.mjs', ...words])
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(message)
    expect(stderr).not.toMatch(/^ +at /m)
  })

  test('says so when the clone lacks its script', async () => {
    using clone = createReadyClone()
    clone.remove('examples')
    expect((await clone.run(['scripts/run.mjs', 'demo'])).stderr).toMatch(
      /^countersign: expected .*demo\.ts to exist/,
    )
  })
})

test('a Node that is too old is told so before anything else is read', async () => {
  using clone = createReadyClone()
  writeFileSync(
    join(clone.root, 'old.cjs'),
    `Object.defineProperty(process, 'versions', { value: { node: '16.20.2' } })`,
  )
  clone.remove('scripts/run')
  expect(await clone.run(['--require', './old.cjs', 'scripts/run.mjs', 'demo'])).toEqual({
    code: 1,
    stdout: '',
    stderr: 'countersign: expected Node 18 or newer, got 16.20.2; install Node 24 and try again\n',
  })
})

const cleansUpAt = (signal: string) => `
  setInterval(() => {}, 1000)
  process.on('${signal}', () => setTimeout(() => (console.log('cleaned up'), process.exit(5)), 100))
  console.log('ready')
`
