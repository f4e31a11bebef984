/** In the process of a server: makes it of what the first message says, and tells of its CPU whenever it is asked. */
export function serve<Setup>(start: (setup: Setup) => Promise<number>): void {
  process.once('message', (setup) => {
    // What `startServer` was given.
    void start(setup as Setup).then((port) => {
      process.on('message', () => process.send?.(cpu()))
      process.send?.(port)
    })
  })
  process.once('disconnect', () => process.exit())
}

const cpu = (): number => {
  const { user, system } = process.cpuUsage()
  return user + system
}
