// The child's end of the channel to the demo: it answers commands, one reply each, in messages of plain JSON.

/** What a process can be told: command → what it does, with at most one input. */
export type Commands<C> = { readonly [K in keyof C]: (input: never) => unknown }

/** `never` stands for whatever the command takes: nothing but that command can be given it. */
interface Question<C> {
  readonly id: number
  readonly command: keyof C
  readonly input: never
}

export type Reply<Result, Notice> =
  | { readonly id: number; readonly result: Result }
  | { readonly id: number; readonly problem: string }
  | { readonly notice: Notice }

/** Answers the demo for as long as it lives, and not a moment longer. */
export function answerCommands<C extends Commands<C>>(commands: C): void {
  // INVARIANT: no orphans. However the demo ends, its end of the channel closes, and this process ends with it.
  if (!process.connected) process.exit()
  process.on('disconnect', () => process.exit())
  // Ctrl-C reaches every process of a terminal. Only the demo acts on it: it knows what is to be put away first.
  process.on('SIGINT', () => undefined)
  process.on('message', (question: Question<C>) => void answer(commands, question))
}

/** Tells the demo something that it did not ask for. What is told before a reply arrives before it. */
export function tell(notice: unknown): void {
  send({ notice })
}

async function answer<C extends Commands<C>>(commands: C, question: Question<C>): Promise<void> {
  const { id, command, input } = question
  try {
    send({ id, result: await commands[command](input) })
  } catch (error) {
    send({ id, problem: error instanceof Error ? error.message : String(error) })
  }
}

function send(reply: Reply<unknown, unknown>): void {
  process.send?.(reply)
}
