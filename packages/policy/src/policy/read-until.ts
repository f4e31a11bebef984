import type { DocumentNode } from '../document/document-node.ts'
import type { Reader } from '../document/reader.ts'

/**
 * The end of something, in milliseconds since the epoch: a date means until the end of that day in UTC, and a time
 * (RFC 3339 §5.6) until then. It may have passed: what it ends no longer counts.
 */
export function readUntil(node: DocumentNode, reader: Reader): number | undefined {
  const moment = readMoment(node, 'the whole day in UTC', reader)
  return moment?.isDay === true ? moment.startsAt + dayMs : moment?.startsAt
}

/** A time in milliseconds since the epoch; of a date, its first moment in UTC. */
export function readTime(node: DocumentNode, reader: Reader): number | undefined {
  return readMoment(node, 'its first moment in UTC', reader)?.startsAt
}

interface Moment {
  readonly startsAt: number
  readonly isDay: boolean
}

function readMoment(node: DocumentNode, ofDay: string, reader: Reader): Moment | undefined {
  const what = `a date such as 2027-01-31 (${ofDay}), or a time such as 2027-01-31T12:00:00Z`
  const text = reader.text(node, what)
  return text === undefined ? undefined : (parseMoment(text) ?? reader.expected(node, what))
}

function parseMoment(text: string): Moment | undefined {
  const [, date, time] = /^(\d{4}-\d\d-\d\d)(?:[Tt ](.+))?$/.exec(text) ?? []
  const day = date === undefined ? undefined : parseDay(date)
  const startsAt = day === undefined || time === undefined ? day : parseTime(day, time)
  return startsAt === undefined ? undefined : { startsAt, isDay: time === undefined }
}

// `Date` takes 30 February for 2 March.
function parseDay(date: string): number | undefined {
  const day = Date.parse(`${date}T00:00:00Z`)
  return Number.isNaN(day) || !new Date(day).toISOString().startsWith(date) ? undefined : day
}

function parseTime(day: number, time: string): number | undefined {
  const [, hours, minutes, seconds, fraction = '', sign, offsetHours = '0', offsetMinutes = '0'] =
    /^([01]\d|2[0-3]):([0-5]\d):([0-5]\d)(\.\d{1,9})?(?:[Zz]|([+-])([01]\d|2[0-3]):([0-5]\d))$/.exec(time) ??
    []
  if (hours === undefined) return undefined
  const local = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds) + Number(`0${fraction}`)
  const offset = (Number(offsetHours) * 60 + Number(offsetMinutes)) * 60
  return Math.floor(day + (local - (sign === '-' ? -offset : offset)) * 1000)
}

const dayMs = 86_400_000
