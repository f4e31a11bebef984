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

export default defineConfig(({ mode }) => ({
  plugins: [standardDecorators],
  test: {
    include: ['packages/*/src/**/*.test.ts', 'test/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**', 'test/packaging/**', 'test/interop/**'],
    testTimeout: 20_000,
    ...(mode === 'interop' ? { ...interop, exclude: [] } : {}),
  },
}))
