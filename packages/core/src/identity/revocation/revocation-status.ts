/** What an authority says of one of its certificates. Times are in milliseconds since the epoch. */
export type RevocationStatus = {
  /** Until then it counts. */
  readonly until: number
  /** From when on to ask again, while it goes on counting. Left out: nobody need ask before it ends. */
  readonly askAgainAt?: number
} & (
  | { readonly kind: 'good' }
  /** Whatever the reason: a certificate on hold counts as revoked. */
  | { readonly kind: 'revoked'; readonly at: number }
)
