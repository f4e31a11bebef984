const minute = 60_000
const hour = 60 * minute

/** When a certificate issued at `now` is valid by default: from a minute before, for clocks that lag, to an hour after. */
export function defaultValidity(now: Date): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(now.getTime() - minute), notAfter: hoursFrom(now, 1) }
}

/** The moment this many hours after `date`, or before it when negative. */
export function hoursFrom(date: Date, hours: number): Date {
  return new Date(date.getTime() + hours * hour)
}
