import type { Commands } from './commands.ts'
import { RemoteProcess } from './remote-process.ts'

/** What a group needs to know of its members, whatever they answer. */
type Member = Pick<RemoteProcess<object>, 'ended' | 'kill' | 'close'>

/** The processes of the demo. They end together, and never later than the demo itself. */
export class ProcessGroup {
  readonly #members: Member[] = []

  constructor() {
    // Also on an error and on a signal: handlers of `exit` run whenever the demo can still run anything.
    process.once('exit', () => {
      for (const member of this.#members) member.kill()
    })
  }

  /**
   * Starts a module as a process of its own. With `showsOutput`, what it prints is passed on to stderr. `preload`: a module that is
   * loaded before it.
   */
  fork<C extends Commands<C>, Notice = never>(
    name: string,
    module: URL,
    {
      showsOutput = false,
      preload,
    }: { readonly showsOutput?: boolean; readonly preload?: URL | undefined } = {},
  ): RemoteProcess<C, Notice> {
    const member = new RemoteProcess<C, Notice>(name, module, showsOutput, preload)
    this.#members.push(member)
    return member
  }

  /** Resolves when the first of them has ended, with the reason. */
  firstEnd(): Promise<Error> {
    return Promise.race(this.#members.map(({ ended }) => ended))
  }

  /** Ends all of them and waits until they are gone. */
  async close(): Promise<void> {
    await Promise.all(this.#members.map((member) => member.close()))
  }
}
