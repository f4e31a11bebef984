// `--serve`: the services stay up, for a person with curl.
import { styleText } from 'node:util'
import type { Mesh } from '../mesh.ts'
import type { ProcessGroup } from '../processes/process-group.ts'
import { writeCredentialFiles } from './credential-files.ts'
import { commandOf, curlLines } from './curl-lines.ts'

/** Prints what to try. Resolves only if one of the processes ends by itself, to the reason; Ctrl-C ends the demo. */
export async function serve(mesh: Mesh, processes: ProcessGroup): Promise<Error> {
  const folder = await writeCredentialFiles(mesh)
  print(`The services are up until Ctrl-C. Tokens and certificates are good for an hour; they are in\n`)
  print(`cd ${folder}\n`)
  for (const line of curlLines(mesh)) {
    const isAllowed = line.expect === 'allow'
    print(styled(isAllowed ? 'green' : 'yellow', `# ${line.about}: ${isAllowed ? 'allowed' : line.expect}`))
    print(commandOf(line))
  }
  print(
    `\nA refused caller is told little. Why it was refused, the service says here, once a minute for each kind:`,
  )
  return processes.firstEnd()
}

const styled = (format: Parameters<typeof styleText>[0], text: string): string =>
  styleText(format, text, { stream: process.stdout })

const print = (line: string): void => void process.stdout.write(`${line}\n`)
