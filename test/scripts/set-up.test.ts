import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { looksHopeless, reasonFor } from '../../scripts/run/install-failure.mjs'
import { stampFor } from '../../scripts/run/set-up.mjs'
import { createClone, pinnedPnpm, type Clone } from './clone.ts'

const demo = ['scripts/run.mjs', 'demo']
const settingUp =
  'countersign: setting up (installs what the lockfile names; the first time takes a minute) …\n'

/** A pnpm that notes how it was called in `calls.txt`. */
function givePnpm(clone: Clone, install = 'exit 0', version = pinnedPnpm): void {
  const answer = `[ "$1" = --version ] && echo ${version} && exit 0`
  clone.write('bin/pnpm', `#!/bin/sh\n${answer}\necho "pnpm $@" >> calls.txt\n${install}\n`)
}

function giveNpx(clone: Clone, install = 'exit 0'): void {
  clone.write('bin/npx', `#!/bin/sh\necho "npx $@" >> calls.txt\n${install}\n`)
}

const callsOf = (clone: Clone) =>
  existsSync(join(clone.root, 'calls.txt')) ? readFileSync(join(clone.root, 'calls.txt'), 'utf8') : ''

describe('the stamp', () => {
  test('changes with the lockfile, the platform and the architecture', () => {
    const stamps = [
      stampFor('a', { platform: 'linux', arch: 'x64' }),
      stampFor('b', { platform: 'linux', arch: 'x64' }),
      stampFor('a', { platform: 'darwin', arch: 'x64' }),
      stampFor('a', { platform: 'linux', arch: 'arm64' }),
    ]
    expect(new Set(stamps).size).toBe(4)
    expect(stamps[0]).toMatch(/^[0-9a-f]{64} linux x64\n$/)
  })
})

describe.skipIf(process.platform === 'win32')('the set-up', () => {
  test('installs once, says so in one line on stderr, and leaves stdout to the task', async () => {
    using clone = createClone()
    givePnpm(clone, 'echo "Progress: many words"')
    expect(await clone.run(demo)).toEqual({ code: 0, stdout: '[]\n', stderr: settingUp })
    expect(await clone.run([...demo, '--json', 'a b'])).toEqual({
      code: 0,
      stdout: '["--json","a b"]\n',
      stderr: '',
    })
    expect(callsOf(clone)).toBe('pnpm install --frozen-lockfile\n')
  })

  test('installs again when the lockfile has changed', async () => {
    using clone = createClone()
    givePnpm(clone)
    await clone.run(demo)
    clone.write('pnpm-lock.yaml', 'lockfileVersion: 9.0\nimporters: {}\n')
    expect((await clone.run(demo)).stderr).toBe(settingUp)
  })

  test('takes the pinned pnpm from npx when the installed one is another version, or none is', async () => {
    using clone = createClone()
    givePnpm(clone, 'exit 0', '12.0.0')
    giveNpx(clone)
    expect((await clone.run(demo)).code).toBe(0)
    expect(callsOf(clone)).toBe(`npx -y pnpm@${pinnedPnpm} install --frozen-lockfile\n`)
  })

  test('shows the words of pnpm when they are needed, and does not take a failed set-up for done', async () => {
    using clone = createClone()
    givePnpm(clone, 'echo " ERR_PNPM_SOMETHING  out of luck"; exit 7')
    const first = await clone.run(demo)
    expect(first).toMatchObject({ code: 1, stdout: '' })
    expect(first.stderr).toBe(
      `${settingUp}ERR_PNPM_SOMETHING  out of luck\n` +
        'countersign: the dependencies could not be installed (exit code 7); see above\n',
    )
    givePnpm(clone)
    expect((await clone.run(demo)).stderr).toBe(settingUp)
  })

  test('says in one sentence that there is no network', async () => {
    using clone = createClone()
    giveNpx(clone, 'echo "npm error code ENOTFOUND" >&2; exit 1')
    expect(await clone.run(demo)).toEqual({
      code: 1,
      stdout: '',
      stderr: `${settingUp}countersign: the dependencies cannot be installed, because the package registry cannot be reached; check the network (and proxy) and try again\n`,
    })
  })

  test('stops a pnpm that goes on trying without a network', async () => {
    using clone = createClone()
    givePnpm(clone, 'while true; do echo "[WARN] GET x error (error sending request)"; sleep 0.01; done')
    expect((await clone.run(demo)).stderr).toContain('the package registry cannot be reached')
  })

  test('says in one sentence that npx is missing', async () => {
    using clone = createClone()
    const { code, stderr } = await clone.run(demo)
    expect(code).toBe(1)
    expect(stderr).toBe(
      `${settingUp}countersign: the dependencies cannot be installed, because \`npx\` is not there; install npm (it comes with Node) or pnpm\n`,
    )
  })

  test('says in one sentence that there is no place for the dependencies', async () => {
    using clone = createClone()
    givePnpm(clone)
    clone.remove('node_modules')
    clone.write('node_modules', 'a file, where a folder has to be')
    const { code, stderr } = await clone.run(demo)
    expect(code).toBe(1)
    expect(stderr).toMatch(
      /^countersign: the dependencies cannot be installed, because .* cannot be written \(E\w+\)\n$/,
    )
  })

  test('says that a clone without lockfile is not complete', async () => {
    using clone = createClone()
    clone.remove('pnpm-lock.yaml')
    const { code, stderr } = await clone.run(demo)
    expect(code).toBe(1)
    expect(stderr).toMatch(/^countersign: expected pnpm-lock\.yaml in .*: is this clone complete\?\n$/)
  })
})

describe('the reason of a failed installation', () => {
  test.each([
    [127, '', /`npx` is not there/],
    [130, 'Progress: resolved 1', /was interrupted/],
    [1, 'npm error code EAI_AGAIN', /registry cannot be reached/],
    [130, 'error sending request: client error (Connect)', /registry cannot be reached/],
    [1, 'ENOSPC: no space left on device', /disk is full/],
    [1, 'EROFS: read-only file system', /cannot be written/],
    [1, 'ERR_PNPM_OUTDATED_LOCKFILE', /does not match/],
    [3, 'anything else', /exit code 3/],
  ])('for exit code %i and %j', (code, output, sentence) => {
    expect(reasonFor(code, output).says).toMatch(sentence)
    expect(reasonFor(code, output).says).not.toContain('\n')
  })

  test('is not taken from a single failed request', () => {
    const failed = 'error sending request for url\n'
    expect(looksHopeless(failed)).toBe(false)
    expect(looksHopeless(failed.repeat(25))).toBe(true)
  })
})
