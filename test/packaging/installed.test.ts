import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import { describe, test } from 'node:test'
import { createProject, nodeVersions } from './project.ts'
import { entries, tool } from './tarballs.ts'

const express5 = createProject('service', {
  // What `@countersign/policy/cedar` asks for.
  '@cedar-policy/cedar-wasm': '4.13.0',
  express: '5.3.0',
  '@types/express': '5.0.6',
  '@types/node': '22.20.4',
})
const express4 = createProject('service', {
  express: '4.22.3',
  '@types/express': '4.17.25',
  '@types/node': '22.20.4',
})
const snapshot = fileURLToPath(new URL('exported-names.json', import.meta.url))

const projects = [
  ['Express 5', express5],
  ['Express 4', express4],
] as const

for (const version of nodeVersions) {
  describe(`on Node ${version}`, () => {
    // After a change on purpose: node scripts/run.mjs packages --test-update-snapshots
    test('an import finds the names that are promised', (t) => {
      const names: unknown = JSON.parse(express5.node(version, ['exported-names.mjs', ...entries]))
      t.assert.fileSnapshot(names, snapshot)
    })

    test('a require finds the same', () => {
      const imported: unknown = JSON.parse(express5.node(version, ['exported-names.mjs', ...entries]))
      const required: unknown = JSON.parse(express5.node(version, ['exported-names.cjs', ...entries]))
      assert.deepEqual(required, imported)
    })

    for (const [framework, project] of projects) {
      for (const file of ['service.mjs', 'service.cjs']) {
        test(`a service with ${framework} in ${file} lets a known caller in, and nobody else`, () => {
          const { known, stranger } = JSON.parse(project.node(version, [file]))
          assert.deepEqual(known, { status: 200, body: { calledBy: known.body.calledBy } })
          assert.match(known.body.calledBy, /checkout/)
          assert.equal(stranger.status, 401)
          assert.match(stranger.challenge, /^Bearer/)
        })
      }
    }

    test('a test under node:test has the issuer it needs', () => {
      const report = express5.node(version, ['--test', '--test-reporter=tap', 'orders.test.mjs'])
      assert.match(report, /^# pass 2$/m)
      assert.match(report, /^# fail 0$/m)
    })
  })
}

for (const [framework, { folder }] of projects) {
  test(`the types fit a service with ${framework}, in an ES module and in CommonJS`, () => {
    tool('tsc', '-p', folder)
  })
}
