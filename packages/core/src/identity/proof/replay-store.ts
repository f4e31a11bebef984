/**
 * Remembers what may be used once. `add` must be one atomic step: where two requests bring the same key at the same time,
 * one alone is told `true`. An error, or a promise that rejects, refuses the request as unavailable.
 */
export interface ReplayStore {
  /**
   * Keeps the key until then (milliseconds since the epoch), and says whether it was new. The key is 43 characters of
   * base64url: a hash, from which nothing can be learned. Redis does this with `SET key '' PXAT expiresAtMs NX`.
   */
  add(key: string, expiresAtMs: number): boolean | Promise<boolean>
}
