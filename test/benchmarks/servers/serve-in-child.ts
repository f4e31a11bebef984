/** In the process of a server: makes it of what the first message says, tells where it listens, and its CPU whenever it is asked. */
export function serveInChild(start: (setup: unknown) => Promise<readonly number[]>): void {
  process.once('message', async (setup) => {
    const ports = await start(setup)
    process.on('message', () => process.send?.(cpu()))
    process.send?.(ports)
  })
  process.once('disconnect', () => process.exit())
}

const cpu = (): number => {
  const { user, system } = process.cpuUsage()
  return user + system
}
