// Mutation tests: changes one operator at a time in a room that decides, and asks whether any test of it notices.
// `npm run mutate` says which room.
import { mutatedRoom as room } from './scripts/mutation/rooms.mjs'

const reports = `reports/mutation/${room}`

/** @type {ConstructorParameters<typeof import('@stryker-mutator/core').Stryker>[0]} */
export default {
  mutate: [`${room.startsWith('packages/') ? room : `packages/core/src/${room}`}/**/*.ts`],
  plugins: ['@stryker-mutator/vitest-runner'],
  testRunner: 'vitest',
  vitest: { configFile: 'vitest.mutation.config.ts' },
  coverageAnalysis: 'perTest',
  // TypeScript 7 has no API by which it could be rewritten, and nothing in it leads out of the sandbox.
  tsconfigFile: 'none',
  disableTypeChecks: false,
  ignorePatterns: ['/.*', '/docs', '/examples', '/reports', 'dist', 'test/packaging'],
  concurrency: 1,
  // A busy machine is no endless loop: what times out counts as noticed.
  timeoutMS: 20_000,
  timeoutFactor: 3,
  incremental: true,
  incrementalFile: `${reports}/incremental.json`,
  reporters: ['progress-append-only', 'clear-text', 'json', 'html'],
  jsonReporter: { fileName: `${reports}/mutation.json` },
  htmlReporter: { fileName: `${reports}/mutation.html` },
  clearTextReporter: { logTests: false, reportTests: false, allowEmojis: false },
  allowConsoleColors: false,
  thresholds: { high: 100, low: 90, break: 90 },
}
