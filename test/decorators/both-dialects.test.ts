import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'

test.each(['controllers.ts', 'mistakes.ts', 'copies.test.ts', 'hierarchies.ts', 'placement-of.test.ts'])(
  'the text of %s is the same in both dialects',
  async (name) => {
    const [standard, legacy] = await Promise.all(
      ['standard', 'legacy'].map((dialect) =>
        readFile(new URL(`${dialect}/${name}`, import.meta.url), 'utf8'),
      ),
    )
    expect(legacy).toBe(standard)
  },
)
