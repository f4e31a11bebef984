// The package manager, in the one version that package.json names under `engines`.
import { spawn, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Failure } from './failure.mjs'
import { passSignalsTo } from './foreground.mjs'
import { looksHopeless, reasonFor } from './install-failure.mjs'

// npm and pnpm are batch files on Windows, which only a shell can start.
const shell = process.platform === 'win32'

/** @param {string} root */
export async function install(root) {
  const [command, ...args] = [...pnpmCommand(root), 'install', '--frozen-lockfile']
  const { code, output } = await runQuietly(command, args, root)
  if (code === 0) return
  const reason = reasonFor(code, output)
  if (!reason.isClear) console.error(output.trim().split('\n').slice(-30).join('\n'))
  throw new Failure(reason.says)
}

/**
 * An installed pnpm is used when it is the pinned one: pnpm itself refuses to install for a different `engines.pnpm`.
 * @param {string} root
 * @returns {[string, ...string[]]}
 */
export function pnpmCommand(root) {
  const version = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).engines.pnpm
  // Corepack's stand-in for pnpm would download one just to answer.
  const env = { ...process.env, COREPACK_ENABLE_NETWORK: '0' }
  const found = spawnSync('pnpm --version', {
    cwd: root,
    env,
    encoding: 'utf8',
    timeout: 20_000,
    shell: true,
  })
  return found.stdout?.trim() === version ? ['pnpm'] : ['npx', '-y', `pnpm@${version}`]
}

/**
 * @param {string} command
 * @param {string[]} args
 * @param {string} cwd
 * @returns {Promise<{ code: number, output: string }>}
 */
function runQuietly(command, args, cwd) {
  const options = { cwd, env: { ...process.env, ...quietly }, shell }
  const child = shell ? spawn([command, ...args].join(' '), options) : spawn(command, args, options)
  const release = passSignalsTo(child)
  let output = ''
  child.stdin.end()
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output += text
      if (looksHopeless(output)) child.kill()
    })
  }
  return new Promise((resolve) => {
    child.on('error', () => resolve({ code: 127, output }))
    child.on('close', (code) => resolve({ code: code ?? 130, output }))
  }).finally(release)
}

const quietly = {
  // pnpm never asks then, also when node_modules is another package manager's work and has to be made anew.
  CI: 'true',
  npm_config_json: 'false',
  // Without a network, npm's own number of tries takes more than a minute.
  npm_config_fetch_retries: '1',
}
