// `node scripts/run.mjs <task> …`: runs a task of this repository, on a fresh clone too.
// Everything else is imported only after this check, so that an old Node reads nothing that it cannot parse.
const major = Number(process.versions.node.split('.')[0])

if (major < 18) {
  console.error(
    `countersign: expected Node 18 or newer, got ${process.versions.node}; install Node 24 and try again`,
  )
  process.exitCode = 1
} else {
  void import('./run/main.mjs').then(({ main }) => main(process.argv.slice(2)))
}
