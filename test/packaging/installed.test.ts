import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, test } from 'node:test'
import { nodeVersions, sideBySide } from './project.ts'
import { lowest, newest, optional, tested } from './releases.ts'
import { createServices } from './services.ts'
import { entries } from './tarballs.ts'

const projects = {
  newest: createServices(newest, { '@hono/node-server': tested['@hono/node-server'] ?? '' }),
  lowest: createServices(lowest, {
    // The first that `docs/hono.md` names.
    '@hono/node-server': '2.0.0',
    // Later routers bring their own.
    '@types/koa__router': '12.0.4',
  }),
}
const snapshot = fileURLToPath(new URL('exported-names.json', import.meta.url))

for (const [name, creating] of Object.entries(projects)) {
  describe(`the ${name} releases that the packages work with`, () => {
    test('are installed', async () => {
      const { project, releases } = await creating
      const installed = Object.keys(releases).map((peer) => {
        const manifest = join(project.folder, 'node_modules', peer, 'package.json')
        return [peer, JSON.parse(readFileSync(manifest, 'utf8')).version]
      })
      assert.deepEqual(Object.fromEntries(installed), releases)
    })

    test('have types with which services compile, to ES modules and to CommonJS', async () => {
      const { complaints } = await creating
      assert.deepEqual(complaints, [])
    })
  })
}

test('all other tests run on the lowest releases, too', () => {
  const aliases = Object.values(tested).flatMap((release) => {
    const [, name = '', version = ''] = /^npm:(.+)@(.+)$/.exec(release) ?? []
    // Of Express, they run on the end of version 4: most services that have it are there.
    return name in lowest && name !== 'express' ? [[name, version] as const] : []
  })
  assert.ok(aliases.length > 0)
  for (const [name, version] of aliases) assert.equal(version, lowest[name], name)
})

for (const version of nodeVersions) {
  describe(`on Node ${version}`, sideBySide, () => {
    // After a change on purpose: node scripts/run.mjs packages --test-update-snapshots
    test('an import finds the names that are promised, and a require the same', async (t) => {
      const { project } = await projects.newest
      const files = ['exported-names.mjs', 'exported-names.cjs']
      const [imported = '', required] = await Promise.all(
        files.map((file) => project.node(version, [file, ...entries])),
      )
      assert.equal(required, imported)
      t.assert.fileSnapshot(JSON.parse(imported), snapshot)
    })

    test('every package but Cedar is loaded where no optional peer is installed', async () => {
      const { project } = await projects.newest
      const loaded = entries.filter((entry) => entry !== '@countersign/policy/cedar')
      const args = ['--import', './without.mjs', 'exported-names.mjs']
      const WITHOUT = optional.join(' ')
      assert.deepEqual(
        Object.keys(JSON.parse(await project.node(version, [...args, ...loaded], { WITHOUT }))),
        loaded,
      )
      await assert.rejects(
        project.node(version, [...args, '@countersign/policy/cedar'], { WITHOUT }),
        /cedar-wasm\S* is left out/,
      )
    })

    for (const [name, creating] of Object.entries(projects)) {
      for (const kind of ['modules', 'commonjs']) {
        test(`services on the ${name} releases, as ${kind}, let a known caller in, and nobody else`, async () => {
          const { project } = await creating
          const answers: Answers = JSON.parse(await project.node(version, [join(kind, 'all.js')]))
          assert.deepEqual(Object.keys(answers).toSorted(), adapters)
          for (const [adapter, { known, stranger }] of Object.entries(answers)) {
            assert.deepEqual({ [adapter]: known }, { [adapter]: { caller, again: caller, order: '7' } })
            const status = adapter === 'grpc' ? 16 : 401
            assert.deepEqual({ [adapter]: stranger }, { [adapter]: { status, challenge } })
          }
        })
      }
    }

    test('a test under node:test has the issuer it needs', async () => {
      const { project } = await projects.newest
      const report = await project.node(version, ['--test', '--test-reporter=tap', 'orders.test.mjs'])
      assert.match(report, /^# pass 2$/m)
      assert.match(report, /^# fail 0$/m)
    })
  })
}

type Answers = Readonly<Record<string, { readonly known: unknown; readonly stranger: unknown }>>
const adapters = ['express', 'fastify', 'grpc', 'hono', 'koa', 'nest', 'node-http', 'ws']
const caller = 'https://issuer.test#client=checkout'
const challenge = 'Bearer realm="countersign", scope="orders:read"'
