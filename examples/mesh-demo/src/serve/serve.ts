// `--serve`: the services stay up, for a person with curl.
import { styleText } from 'node:util'
import type { Mesh } from '../mesh.ts'
import type { ProcessGroup } from '../processes/process-group.ts'
import { writeCredentialFiles } from './credential-files.ts'
import { curl, curlLines, type Line } from './curl-lines.ts'
import { grpcurl, grpcurlLines } from './grpcurl-lines.ts'

/** Prints what to try. Resolves only if one of the processes ends by itself, to the reason; Ctrl-C ends the demo. */
export async function serve(mesh: Mesh, processes: ProcessGroup): Promise<Error> {
  const folder = await writeCredentialFiles(mesh)
  print(`The services are up until Ctrl-C. Tokens and certificates are good for an hour; they are in\n`)
  print(`cd ${folder}\n`)
  printLines(curl, curlLines(mesh))
  print(`\nPricing speaks gRPC; with https://github.com/fullstorydev/grpcurl:\n`)
  printLines(grpcurl, grpcurlLines(mesh))
  print(
    `\nA refused caller is told little. Why it was refused, the service says here, once a minute for each kind:`,
  )
  return processes.firstEnd()
}

function printLines(program: string, lines: readonly Line[]): void {
  for (const { about, expect, args } of lines) {
    const isAllowed = expect === 'allow'
    print(styled(isAllowed ? 'green' : 'yellow', `# ${about}: ${isAllowed ? 'allowed' : expect}`))
    print(`${program} ${args}`)
  }
}

const styled = (format: Parameters<typeof styleText>[0], text: string): string =>
  styleText(format, text, { stream: process.stdout })

const print = (line: string): void => void process.stdout.write(`${line}\n`)
