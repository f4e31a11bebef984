import { transform } from 'esbuild'
import { defineConfig, type Plugin } from 'vitest/config'

// Standard (TC39) decorators are syntax that no Node runs yet and vitest passes on untouched: esbuild lowers them.
// The legacy dialect needs nothing: vitest reads `experimentalDecorators` from the tests' own tsconfig.
const standardDecorators: Plugin = {
  name: 'standard-decorators',
  enforce: 'pre',
  async transform(code, id) {
    if (!/\/decorators\/standard\/.*\.ts$/.test(id)) return undefined
    const { code: lowered, map } = await transform(code, {
      loader: 'ts',
      target: 'es2022',
      sourcefile: id,
      sourcemap: true,
      tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } },
    })
    return { code: lowered, map }
  },
}

// With servers that nobody here wrote, and in real time: `vitest run --mode interop`, one after the other.
const interop = {
  include: ['test/interop/**/*.test.ts'],
  fileParallelism: false,
  testTimeout: 120_000,
  hookTimeout: 120_000,
}

/** Beside what has a mode of its own. Whether the code of the documentation compiles is no matter of Node. */
const excludedIn = (mode: string): string[] => [
  '**/node_modules/**',
  '**/dist/**',
  'test/packaging/**',
  'test/interop/**',
  ...(mode === 'without-docs' ? ['test/docs/**'] : []),
]

// Which frameworks are known to a process, and in which dialect a decorator was compiled, is what these tests are about.
const inProcessesOfTheirOwn = ['test/decorators/**/*.test.ts']

export default defineConfig(({ mode }) => ({
  plugins: [standardDecorators],
  test:
    mode === 'interop'
      ? interop
      : {
          // Hangs are found as well, and a busy machine is none.
          testTimeout: 60_000,
          hookTimeout: 60_000,
          projects: [
            {
              extends: true,
              test: {
                name: 'shared',
                include: ['packages/*/src/**/*.test.ts', 'test/**/*.test.ts'],
                exclude: [...excludedIn(mode), ...inProcessesOfTheirOwn],
                // Loading core for each file took longer than the tests.
                isolate: false,
              },
            },
            {
              extends: true,
              test: { name: 'isolated', include: inProcessesOfTheirOwn, exclude: excludedIn(mode) },
            },
          ],
        },
}))
