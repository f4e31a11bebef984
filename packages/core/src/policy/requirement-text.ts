/** `name(a, b)`, the line that a requirement reads as. What does not fit into 1,000 characters is counted. */
export const lineOf = (name: string, items: readonly string[]): string =>
  `${name}(${listed(items, ', ', maxLine)})`

/** Items one after another, in at most about so many characters: a refusal is one line of a log, not a page. */
export function listed(items: readonly string[], separator: string, max = maxDetail): string {
  const [first = '', ...rest] = items
  let text = cut(first, max)
  for (const [i, item] of rest.entries()) {
    if (text.length + separator.length + item.length > max) {
      return `${text}${separator}… ${rest.length - i} more`
    }
    text += separator + item
  }
  return text
}

/** The beginning of a text that would be too long for a line. */
export const cut = (text: string, max = maxDetail): string =>
  text.length <= max ? text : `${text.slice(0, max - 1)}…`

const maxLine = 1000
const maxDetail = 500
