import { existsSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { documents, read, root } from './documents.ts'

describe.each(documents)('%s', (document) => {
  const text = read(document).replaceAll(/^```[^]*?^```$/gm, '')
  const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target)
  const inside = links.filter((target) => !/^[a-z]+:/.test(target))

  test('leads nowhere that is not there', () => {
    expect(inside.filter((target) => !isThere(document, target))).toEqual([])
  })

  test('leads outside by https only', () => {
    expect(links.filter((target) => /^[a-z]+:/.test(target) && !target.startsWith('https://'))).toEqual([])
  })
})

function isThere(document: string, target: string): boolean {
  const [path = '', anchor] = target.split('#')
  const file = path === '' ? document : join(dirname(document), path)
  if (!existsSync(`${root}${file}`)) return false
  if (anchor === undefined) return true
  return !statSync(`${root}${file}`).isDirectory() && anchorsOf(read(file)).includes(anchor)
}

const anchorsOf = (text: string): readonly string[] =>
  [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}_\- ]/gu, '')
      .replaceAll(' ', '-'),
  )
