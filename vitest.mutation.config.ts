// How Stryker runs tests, in a copy of the repository.
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'
import { mutatedRoom, testsOfRooms } from './scripts/mutation/rooms.mjs'

const packages = fileURLToPath(new URL('packages', import.meta.url))

/** One failing test is enough: first the files that failed for the neighbouring mutant, then the quick ones. */
class LikeliestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const cost = (file: TestSpecification): number => {
      const last = this.ctx.cache.getTestSpecificationResult(file)
      return last?.failed === true ? -1 : (last?.duration ?? 0)
    }
    return files.toSorted((a, b) => cost(a) - cost(b))
  }
}

export default defineConfig({
  resolve: {
    // node_modules is shared with the original, and leads back to its packages: those are not mutated.
    alias: [
      { find: /^@countersign\/([a-z]+)$/, replacement: `${packages}/$1/src/index.ts` },
      { find: /^@countersign\/([a-z]+)\/([a-z]+)$/, replacement: `${packages}/$1/src/$2.ts` },
    ],
  },
  test: {
    include: [...(testsOfRooms[mutatedRoom] ?? [])],
    // One worker for all files of a mutant, and a new one for the next mutant.
    isolate: false,
    sequence: { sequencer: LikeliestFirst },
    testTimeout: 20_000,
  },
})
