import type { FetchedDocument } from './fetch-document.ts'

/**
 * How long after a fetch a key set is fetched again: ahead of the end of its freshness, so that nobody waits for it.
 * Freshness is what HTTP says of it (RFC 9111 §5.2.2.1, §5.1), within bounds that no server can move.
 */
export function refreshIntervalOf({ headers }: Pick<FetchedDocument, 'headers'>): number {
  const maxAge = secondsIn(/(?:^|[\s,])max-age=(\d{1,9})(?:$|[\s,;])/i, headers['cache-control'])
  if (maxAge === undefined) return aheadOf * defaultFreshnessMs
  const age = secondsIn(/^(\d{1,9})$/, headers['age']) ?? 0
  return aheadOf * within(minFreshnessMs, (maxAge - age) * 1000, maxMs)
}

/** How long after a fetch a bundle is fetched again: as its publisher asks (SPIFFE Trust Domain and Bundle §4.1.2). */
export const bundleIntervalOf = (hintSeconds: number | undefined): number =>
  hintSeconds === undefined ? defaultFreshnessMs : within(minBundleMs, hintSeconds * 1000, maxMs)

/** How long after a failure the next attempt is made: 1.5 s after the first, at most a minute. */
export const backoffAfter = (failures: number): number =>
  Math.min(cooldownMs * 2 ** (failures - 1), maxBackoffMs)

/** Between the beginnings of two fetches, whoever asks for them. */
export const cooldownMs = 1500

/** For all that one fetch consists of. */
export const deadlineMs = 12_000

/**
 * How often files of certificates are read. Reading again sees what watching does not: the symlinks that Kubernetes swaps, and file
 * systems that tell nothing.
 */
export const pollMs = 2000

/** How long after it was read a file of keys is read again. It costs no network, and a key withdrawn in it should go soon. */
export const fileIntervalMs = 30_000

function secondsIn(pattern: RegExp, value: string | undefined): number | undefined {
  const [, seconds] = pattern.exec(value ?? '') ?? []
  return seconds === undefined ? undefined : Number(seconds)
}

/** The value, or the bound that it lies beyond. */
export const within = (min: number, value: number, max: number): number => Math.min(Math.max(value, min), max)

/** The part of its freshness after which a set is refreshed: a failed attempt leaves time for more. */
const aheadOf = 0.8
const defaultFreshnessMs = 5 * 60_000
const minFreshnessMs = 60_000
const minBundleMs = 10_000
const maxMs = 24 * 3_600_000
const maxBackoffMs = 60_000
