/** What an expression may call by name. */
export const functions: readonly string[] = [
  'has',
  'size',
  'int',
  'double',
  'string',
  'bool',
  'timestamp',
  'duration',
]

const ofText = ['contains', 'startsWith', 'endsWith', 'indexOf', 'substring', 'split', 'trim']
const ofTime = [
  'getFullYear',
  'getMonth',
  'getDate',
  'getDayOfMonth',
  'getDayOfWeek',
  'getDayOfYear',
  'getHours',
  'getMinutes',
  'getSeconds',
  'getMilliseconds',
]
const comprehensions = ['all', 'exists', 'exists_one', 'filter', 'map']

/** What an expression may call behind a value and a dot. */
export const methods: readonly string[] = ['size', ...ofText, ...ofTime, ...comprehensions]

/** Goes over a list, and evaluates something for each of its elements. */
export const isComprehension = (name: string): boolean => comprehensions.includes(name)

/** Reads a time; with a time zone, at the price of a calendar. */
export const isOfTime = (name: string): boolean => ofTime.includes(name)

/** What CEL has and conditions do not, with what to write instead. */
export const refused: ReadonlyMap<string, string> = new Map([
  [
    'matches',
    'a regular expression can be made to run for minutes: write `startsWith`, `endsWith`, `contains` or `==`, or have a context provider look',
  ],
  // They change more than ASCII: the Kelvin sign becomes a k.
  ['lowerAscii', 'other letters can become ASCII in lower case: compare text as it is written'],
  ['upperAscii', 'other letters can become ASCII in upper case: compare text as it is written'],
])
