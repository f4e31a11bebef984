import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { sideBySide } from './project.ts'
import { tarballs, tool, version } from './tarballs.ts'

test('every package is packed', () => {
  const names = [
    'core',
    'decorators',
    'express',
    'fastify',
    'grpc',
    'hono',
    'koa',
    'nest',
    'node-http',
    'policy',
    'testing',
    'ws',
  ].map((name) => `@countersign/${name}`)
  assert.deepEqual(
    tarballs.map(({ name }) => name),
    names,
  )
})

test('core tells its copies apart by the version that it is published in', async () => {
  const core = tarballs.find(({ name }) => name === '@countersign/core')
  assert.ok(core)
  const code = core.files.filter((file) => file.endsWith('.js'))
  const texts = await Promise.all(code.map((file) => core.text(file)))
  assert.equal(texts.filter((text) => text.includes(`version = "${version}"`)).length, 1)
})

describe('every tarball', sideBySide, () => {
  for (const { name, path, files, manifest } of tarballs) {
    describe(`the tarball of ${name}`, () => {
      test('holds the built code with its types, the licence and the readme, and nothing else', () => {
        const isExpected = (file: string) =>
          /^(dist\/.*\.(js|d\.ts)|LICENSE|README\.md|package\.json|schema\.json)$/.test(file)
        assert.deepEqual(
          files.filter((file) => !isExpected(file)),
          [],
        )
        for (const file of ['LICENSE', 'README.md']) assert.ok(files.includes(file), `${file} is missing`)
      })

      // What is in many small files takes Node longer to find than to run.
      test('holds its code in a file for each entry, and a few that entries share', () => {
        const entries = Object.values(manifest.exports).filter((entry) => typeof entry !== 'string').length
        const code = files.filter((file) => file.endsWith('.js'))
        assert.ok(code.length <= (entries === 1 ? 1 : 2 * entries), code.join('\n'))
      })

      test('holds no test', () => {
        assert.deepEqual(
          files.filter((file) => /\.(test|spec|bench)\.|(^|\/)(test|tests|__tests__)\//.test(file)),
          [],
        )
      })

      test('says what it is and where it runs', () => {
        assert.equal(manifest.license, 'Apache-2.0')
        assert.equal(manifest.engines?.node, '>=22.12')
        const targets = Object.values(manifest.exports).flatMap((entry) =>
          typeof entry === 'string' ? [entry] : Object.values(entry),
        )
        const missing = targets.filter((target) => !files.includes(target.replace('./', '')))
        assert.deepEqual(missing, [])
      })

      test('depends on its sisters in this very version', () => {
        const text = JSON.stringify(manifest)
        assert.ok(!text.includes('workspace:') && !text.includes('catalog:') && !text.includes('src/'), text)
        for (const [, sister] of text.matchAll(/"@countersign\/[\w-]+":"([^"]*)"/g)) {
          assert.equal(sister, version)
        }
      })

      test('has nothing that publint warns of', async () => {
        await tool('publint', path, '--strict')
      })

      // The rules for every resolution but Node 10's, which knows no `exports`. That `require` leads to an ES module is
      // how it is meant: Node does that from 22.12 on, and `installed.test.ts` does it on each version.
      test('has types that resolve wherever its code does', async () => {
        await tool('attw', path, '--profile', 'node16', '--ignore-rules', 'cjs-resolves-to-esm', '--no-color')
      })
    })
  }
})
