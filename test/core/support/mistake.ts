/** What is thrown at a programmer. */
export function mistakeOf(write: () => unknown): unknown {
  try {
    write()
  } catch (error) {
    return error
  }
  return 'expected an error'
}
