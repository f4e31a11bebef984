// What a Jest user has to write. Jest brings its own module loader, so that what Node can do says little about it.
import { describe, test } from 'node:test'
import { createProject, nodeVersions, sideBySide } from './project.ts'

const vmModules = { NODE_OPTIONS: '--experimental-vm-modules' }

const packages = ['core', 'express', 'testing'].map((name) => `@countersign/${name}`)
const creating = createProject('jest', packages, {
  express: '5.3.0',
  jest: '30.5.2',
  supertest: '7.3.2',
  '@babel/plugin-transform-dynamic-import': '7.29.7',
  '@babel/plugin-transform-modules-commonjs': '7.29.14',
})

for (const version of nodeVersions) {
  describe(`Jest on Node ${version}`, sideBySide, () => {
    const runsJest = async (args: readonly string[], env?: NodeJS.ProcessEnv): Promise<void> => {
      const project = await creating
      await project.node(version, ['node_modules/jest/bin/jest.js', '--ci', ...args], env)
    }

    test('runs ES modules with --experimental-vm-modules', () => runsJest(['modules'], vmModules))

    test('runs CommonJS that imports the packages, with --experimental-vm-modules', () =>
      runsJest(['commonjs/imports'], vmModules))

    // Jest asks for Node 24.9 to require an ES module.
    if (!version.startsWith('22.')) {
      test('runs CommonJS that requires the packages, with --experimental-vm-modules', () =>
        runsJest(['commonjs/requires'], vmModules))
    }

    test('runs CommonJS that requires the packages where Babel compiles them, without any flag', () =>
      runsJest(['--config', 'jest.babel.json', 'commonjs/requires']))
  })
}
