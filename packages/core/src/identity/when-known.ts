/** Goes on with a value: at once where it is there, else as soon as it is. What is known costs no promise. */
export const whenKnown = <T, U>(value: T | Promise<T>, goOn: (value: T) => U | Promise<U>): U | Promise<U> =>
  value instanceof Promise ? value.then(goOn) : goOn(value)
