// Why an installation failed, in one sentence, from what npm or pnpm said about it.

/**
 * `isClear`: the sentence says it all, and the long output can stay away.
 * @param {number} code
 * @param {string} output
 * @returns {{ says: string, isClear: boolean }}
 */
export function reasonFor(code, output) {
  if (code === 127) return { says: noNpm, isClear: true }
  const known = signs.find(({ sign }) => output.search(sign) >= 0)
  if (known) return known
  if (code === 130) return { says: interrupted, isClear: true }
  return { says: `the dependencies could not be installed (exit code ${code}); see above`, isClear: false }
}

/**
 * One failed request may be bad luck; pnpm goes on to try each of its hundreds of packages.
 * @param {string} output
 */
export function looksHopeless(output) {
  return (output.match(noNetwork)?.length ?? 0) >= 25
}

// As npm says it, and as pnpm does.
const noNetwork =
  /E(NOTFOUND|AI_AGAIN|CONNREFUSED|CONNRESET|TIMEDOUT|NETUNREACH|HOSTUNREACH)|ERR_SOCKET_TIMEOUT|error sending request/g
const interrupted = 'the set-up was interrupted; run the same command again to finish it'
const cannot = 'the dependencies cannot be installed, because'
const noNpm = `${cannot} \`npx\` is not there; install npm (it comes with Node) or pnpm`
const signs = [
  { sign: /'npx' is not recognized/, says: noNpm, isClear: true },
  {
    sign: noNetwork,
    says: `${cannot} the package registry cannot be reached; check the network (and proxy) and try again`,
    isClear: true,
  },
  { sign: /ENOSPC/, says: `${cannot} the disk is full`, isClear: true },
  {
    sign: /EACCES|EPERM|EROFS/,
    says: `${cannot} a folder cannot be written; which one stands above`,
    isClear: false,
  },
  {
    sign: /ERR_PNPM_OUTDATED_LOCKFILE/,
    says: 'pnpm-lock.yaml does not match the package.json files; run `pnpm install` and commit the lockfile',
    isClear: false,
  },
]
