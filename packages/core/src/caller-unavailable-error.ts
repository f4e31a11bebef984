/** Thrown by `req.caller` and its kin where the route has no caller: it is unprotected, optional, or was never decided. */
export class CallerUnavailableError extends Error {
  /** Stable across versions: branch on this, not on the message. */
  readonly code = 'caller_unavailable'

  constructor() {
    super(
      'this request has no caller: use `callerOf(req)` on routes that may have none, or put a requirement first on the route',
    )
    this.name = 'CallerUnavailableError'
  }
}
