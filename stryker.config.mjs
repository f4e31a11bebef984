// Mutation tests: changes one operator at a time in the rooms that decide, and asks whether any test notices.

/** @type {ConstructorParameters<typeof import('@stryker-mutator/core').Stryker>[0]} */
export default {
  mutate: [
    'packages/core/src/identity/{jws,token,proof,trust}/**/*.ts',
    'packages/core/src/{policy,decision,enforcement}/**/*.ts',
  ],
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
  incrementalFile: 'reports/mutation/incremental.json',
  reporters: ['progress-append-only', 'clear-text', 'json', 'html'],
  jsonReporter: { fileName: 'reports/mutation/mutation.json' },
  htmlReporter: { fileName: 'reports/mutation/mutation.html' },
  clearTextReporter: { logTests: false, reportTests: false, allowEmojis: false },
  allowConsoleColors: false,
  thresholds: { high: 100, low: 90, break: 90 },
}
