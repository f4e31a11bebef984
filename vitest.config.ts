import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { transform } from 'esbuild'
import { defineConfig, type Plugin, type TestProjectInlineConfiguration } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

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

// With servers that nobody here wrote, and in real time: `vitest run --mode interop`.
const real = { testTimeout: 120_000, hookTimeout: 120_000 }
const measured = ['refusal-cost', 'unknown-keys-flood', 'outage-drill'].map(
  (name) => `test/interop/${name}.test.ts`,
)

const isLong = ({ moduleId }: TestSpecification): boolean => moduleId.endsWith('/fuzz.test.ts')

/** What takes minutes begins first, beside all that waits for servers. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return files.toSorted((one, other) => Number(isLong(other)) - Number(isLong(one)))
  }
}

const interop = {
  maxWorkers: 2,
  sequence: { sequencer: LongestFirst },
  projects: [
    {
      extends: true as const,
      test: {
        ...real,
        name: 'servers',
        include: ['test/interop/**/*.test.ts'],
        exclude: measured,
        sequence: { groupOrder: 0 },
      },
    },
    {
      extends: true as const,
      test: { ...real, name: 'measured', include: measured, maxWorkers: 1, sequence: { groupOrder: 1 } },
    },
  ],
}

/** No matter of Node: whether the documentation compiles, and what runs on the workspace's own Node alone. */
const sameOnEveryNode = ['docs', 'demo', 'scripts', 'architecture', 'benchmarks'].map(
  (name) => `test/${name}/**`,
)

/** Beside what has a mode of its own. */
const excludedIn = (mode: string): string[] => [
  '**/node_modules/**',
  '**/dist/**',
  'test/packaging/**',
  'test/interop/**',
  ...(mode === 'another-node' ? sameOnEveryNode : []),
]

// Which modules a process has loaded, and in which dialect a decorator was compiled, is what these tests are about.
const inProcessesOfTheirOwn = [
  'test/decorators/**/*.test.ts',
  'test/fastify/unwatched.test.ts',
  // They have an older release loaded in place of the newest, for all that is loaded.
  'test/grpc/oldest.test.ts',
  'test/conformance/oldest-grpc.test.ts',
]

// All of one dialect: decorators of the other, of tests in the same process, would change what is found.
const nest = ['test/nest/**/*.test.ts', 'test/conformance/nest.test.ts', 'test/threats/adapters/nest.test.ts']

// Its parts find each other as peers, so its lowest releases stand in a package of their own: the tests run a second time on those.
const lowestNest = {
  alias: ['@nestjs', '@grpc', 'rxjs'].map((name) => ({
    find: new RegExp(`^${name}(?=/|$)`),
    replacement: fileURLToPath(new URL(`test/nest11/node_modules/${name}`, import.meta.url)),
  })),
}

// Those that turn on signatures are tried a second time by WebCrypto, without the fast path. Floods of invented keys reach none.
const threatsOfSignatures = [
  'claims',
  'denial-and-leakage',
  'encrypted-tokens',
  'introspection',
  'key-sets-and-caches',
  'keys-and-algorithms',
  'proof-of-possession',
  'tenants',
].map((name) => `test/threats/${name}.test.ts`)
const onlyWithoutFastPath = 'test/threats/without-fast-path.test.ts'

const threatsWithoutFastPath: TestProjectInlineConfiguration = {
  extends: true,
  resolve: {
    alias: [
      {
        find: /^\.\/options\/parse-options\.ts$/,
        replacement: fileURLToPath(new URL('test/threats/support/without-fast-path.ts', import.meta.url)),
      },
    ],
  },
  test: {
    name: 'without the fast path',
    include: [...threatsOfSignatures, onlyWithoutFastPath],
    isolate: false,
  },
}

export default defineConfig(({ mode }) => ({
  plugins: [standardDecorators],
  test:
    mode === 'interop'
      ? interop
      : {
          // Hangs are found as well, and a busy machine is none.
          testTimeout: 60_000,
          hookTimeout: 60_000,
          // Most of the time is spent waiting for sockets: on two cores, one worker leaves half of them idle.
          maxWorkers: Math.max(2, availableParallelism() - 1),
          projects: [
            {
              extends: true,
              test: {
                name: 'shared',
                include: ['packages/*/src/**/*.test.ts', 'test/**/*.test.ts'],
                exclude: [...excludedIn(mode), ...inProcessesOfTheirOwn, ...nest, onlyWithoutFastPath],
                // Loading core for each file took longer than the tests.
                isolate: false,
              },
            },
            ...(mode === 'another-node' ? [] : [threatsWithoutFastPath]),
            {
              extends: true,
              test: { name: 'nest 12', include: nest, exclude: excludedIn(mode), isolate: false },
            },
            {
              extends: true,
              resolve: lowestNest,
              test: { name: 'nest 11', include: nest, exclude: excludedIn(mode), isolate: false },
            },
            {
              extends: true,
              test: { name: 'isolated', include: inProcessesOfTheirOwn, exclude: excludedIn(mode) },
            },
          ],
        },
}))
