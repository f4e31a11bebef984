// `node scripts/conformance/matrix.mjs [--check [report.json]]`: runs the conformance suite and writes what it found into
// docs/frameworks.md, between the two marks. With `--check` nothing is written, and what differs fails; with a report of vitest on all
// tests, nothing is run either.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * @typedef {object} Case
 * @property {string[]} ancestorTitles the subject, then groups
 * @property {string} title
 * @property {string} status
 * @property {{ lacks?: string }} [meta]
 */

const root = fileURLToPath(new URL('../../', import.meta.url))
const page = join(root, 'docs', 'frameworks.md')
const [begin, end] = ['<!-- written by `npm run matrix` -->', '<!-- end -->']

const given = process.argv.slice(2).find((word) => word !== '--check')
const cases = given === undefined ? runSuite() : casesIn(given)
const failed = cases.filter(({ status }) => status === 'failed')
const text = readFileSync(page, 'utf8')
const from = text.indexOf(begin) + begin.length
const written = formatted(`${text.slice(0, from)}\n\n${matrix(cases)}\n${text.slice(text.indexOf(end))}`)

if (failed.length > 0) fail(failed.map(({ ancestorTitles, title }) => [...ancestorTitles, title].join(' › ')))
else if (cases.length === 0) fail(['no case has run'])
else if (!process.argv.includes('--check')) writeFileSync(page, written)
else if (text !== written) fail(['docs/frameworks.md is not what the suite says: run `npm run matrix`'])
else console.log('docs/frameworks.md is what the suite says')

/** @param {string[]} problems */
function fail(problems) {
  for (const problem of problems) console.error(`countersign: ${problem}`)
  process.exitCode = 1
}

/** @returns {Case[]} */
function runSuite() {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-matrix-'))
  try {
    const report = join(folder, 'report.json')
    const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs')
    const args = [vitest, 'run', 'test/conformance', '--reporter=json', `--outputFile=${report}`]
    spawnSync(process.execPath, args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] })
    return casesIn(report)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/**
 * Those of the conformance suite, whatever else was run.
 * @param {string} path
 * @returns {Case[]}
 */
function casesIn(path) {
  /** @type {{ testResults: { name: string, assertionResults: Case[] }[] }} */
  const { testResults } = JSON.parse(readFileSync(path, 'utf8'))
  const ofSuite = testResults.filter(({ name }) => name.replaceAll('\\', '/').includes('/test/conformance/'))
  return ofSuite.flatMap(({ assertionResults }) => assertionResults)
}

/**
 * As the formatter of this repository has it.
 * @param {string} markdown
 */
function formatted(markdown) {
  const oxfmt = join(dirname(createRequire(import.meta.url).resolve('oxfmt/package.json')), 'bin', 'oxfmt')
  const { stdout, status } = spawnSync(process.execPath, [oxfmt, `--stdin-filepath=${page}`], {
    cwd: root,
    input: markdown,
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error('expected the page to be formatted')
  return stdout
}

/**
 * A table for each group of cases, with a row for each case. A column is a subject, or several that agree in everything: releases of one
 * framework mostly do.
 * @param {Case[]} all
 */
function matrix(all) {
  const groups = Map.groupBy(all, groupOf)
  /** @type {string[]} */
  const notes = []
  const cell = (/** @type {Case | undefined} */ found) => {
    if (found === undefined) return ''
    if (found.status === 'passed') return '✓'
    const why = found.meta?.lacks ?? 'skipped'
    if (!notes.includes(why)) notes.push(why)
    return `[${notes.indexOf(why) + 1}](#what-is-missing-and-why)`
  }
  const columns = columnsOf(all)
  const tables = [...groups].map(([group, ofGroup]) =>
    [
      `### ${group}`,
      '',
      `| | ${columns.map((subjects) => subjects.join(', ')).join(' | ')} |`,
      `| --- | ${columns.map(() => ':-:').join(' | ')} |`,
      ...[...Map.groupBy(ofGroup, caseOf)].map(([name, found]) => {
        const cells = columns.map(([first]) => cell(found.find((each) => subjectOf(each) === first)))
        return `| ${name.replaceAll('|', '\\|')} | ${cells.join(' | ')} |`
      }),
      '',
    ].join('\n'),
  )
  return [
    ...tables,
    '## What is missing, and why',
    '',
    ...notes.map((note, i) => `${i + 1}. ${note}`),
    '',
  ].join('\n')
}

/**
 * Subjects, those together that stand behind one adapter and in one column.
 * @param {Case[]} all
 */
function columnsOf(all) {
  const subjects = [...Map.groupBy(all, subjectOf)].toSorted(([one], [other]) => (one < other ? -1 : 1))
  const alike = Map.groupBy(subjects, ([, ofSubject]) => {
    const said = ofSubject.map((found) =>
      [groupOf(found), caseOf(found), found.status, found.meta?.lacks ?? ''].join('\n'),
    )
    return [adapterOf(ofSubject), ...said.toSorted()].join('\n\n')
  })
  return [...alike.values()].map((same) => same.map(([name]) => name))
}

/** @param {Case[]} cases */
function adapterOf([first]) {
  return /\((.*)\)$/.exec(first?.ancestorTitles[0] ?? '')?.[1]
}

/** @param {Case} found */
function groupOf({ ancestorTitles: [, group = 'more'] }) {
  return `${group.charAt(0).toUpperCase()}${group.slice(1)}`
}

/** @param {Case} found */
function subjectOf({ ancestorTitles }) {
  return (ancestorTitles[0] ?? '').replace(/ \(.*\)$/, '')
}

/** @param {Case} found */
function caseOf({ ancestorTitles, title }) {
  return [...ancestorTitles.slice(2), title].join(': ')
}
