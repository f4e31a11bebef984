/** In the process of a server: makes it of what the first message says, and tells of its CPU whenever it is asked. */
export function serve(start: (setup: unknown) => Promise<number>): void {
  process.once('message', async (setup) => {
    const port = await start(setup)
    process.on('message', () => process.send?.(cpu()))
    process.send?.(port)
  })
  process.once('disconnect', () => process.exit())
}

const cpu = (): number => {
  const { user, system } = process.cpuUsage()
  return user + system
}
