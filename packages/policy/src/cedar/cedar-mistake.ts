import { ConfigurationError } from '@countersign/core'
import type { DetailedError } from '@cedar-policy/cedar-wasm/nodejs'

/** Throws what Cedar says of a text, each with its place, as a ConfigurationError. */
export function refuseErrors(option: string, errors: readonly DetailedError[], text?: string): never {
  const told = errors.slice(0, maxTold).map((error) => spoken(error, text))
  const untold = errors.length - told.length
  throw mistake(option, [...told, ...(untold > 0 ? [`and ${untold} more`] : [])].join('\n'))
}

export const mistake = (option: string, problem: string): ConfigurationError =>
  new ConfigurationError(`cedarDecider.${option}`, problem)

function spoken({ message, help, sourceLocations = [] }: DetailedError, text: string | undefined): string {
  const [at] = sourceLocations
  const place = at === undefined || text === undefined ? '' : `${placeOf(at.start, text)} `
  return `${place}${message}${help === null ? '' : `; ${help}`}`
}

/** `line:column`, from 1 on. Cedar counts the octets of UTF-8. */
function placeOf(octets: number, text: string): string {
  const lines = Buffer.from(text).subarray(0, octets).toString().split('\n')
  return `${lines.length}:${(lines.at(-1)?.length ?? 0) + 1}`
}

const maxTold = 20
