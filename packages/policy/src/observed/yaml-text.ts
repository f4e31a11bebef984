/** Writable text as a YAML scalar that no reader takes for anything else: as it is where that is plain, else quoted. */
export function yamlText(text: string): string {
  if (/^[A-Za-z][A-Za-z0-9 ._:/-]*$/.test(text) && !/:(?: |$)| $/.test(text) && !words.test(text)) return text
  return JSON.stringify(text)
}

export const flowList = (texts: readonly string[]): string => `[${texts.map(yamlText).join(', ')}]`

/** A text as it can stand in a comment: on one line, in characters that can be seen, and not too long. */
export function shown(text: string): string {
  const cut = text.length <= maxShown ? text : `${text.slice(0, maxShown)}…`
  return cut.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/gu, '?')
}

/** Text of one line that a document may hold: see `Reader.text`. */
export const isWritable = (text: string): boolean =>
  text.trim() !== '' && text.length <= 4096 && !/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(text)

// Words that YAML 1.1 or 1.2 takes for something else.
const words = /^(?:true|false|null|yes|no|on|off|y|n)$/i
const maxShown = 300
