// What a Jest user has to write. Jest brings its own module loader, so that what Node can do says little about it.
import { describe, test } from 'node:test'
import { createProject, nodeVersions } from './project.ts'

const dependencies = { express: '5.3.0', jest: '30.5.2', supertest: '7.3.2' }
const jest = (...args: string[]) => ['node_modules/jest/bin/jest.js', '--ci', ...args]
const vmModules = { NODE_OPTIONS: '--experimental-vm-modules' }

const project = createProject('jest', {
  ...dependencies,
  '@babel/plugin-transform-dynamic-import': '7.29.7',
  '@babel/plugin-transform-modules-commonjs': '7.29.14',
})

for (const version of nodeVersions) {
  describe(`Jest on Node ${version}`, () => {
    test('runs ES modules with --experimental-vm-modules', () => {
      project.node(version, jest('modules'), vmModules)
    })

    test('runs CommonJS that imports the packages, with --experimental-vm-modules', () => {
      project.node(version, jest('commonjs/imports'), vmModules)
    })

    // Jest asks for Node 24.9 to require an ES module.
    if (!version.startsWith('22.')) {
      test('runs CommonJS that requires the packages, with --experimental-vm-modules', () => {
        project.node(version, jest('commonjs/requires'), vmModules)
      })
    }

    test('runs CommonJS that requires the packages where Babel compiles them, without any flag', () => {
      project.node(version, jest('--config', 'jest.babel.json', 'commonjs/requires'))
    })
  })
}
