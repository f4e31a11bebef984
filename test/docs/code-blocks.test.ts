// Every block of TypeScript in the documents compiles as strictly as the sources do.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { codeBlocksOf, documents, root, type CodeBlock } from './documents.ts'
import { Workshop } from './workshop.ts'

const blocks = documents.flatMap(codeBlocksOf).filter(({ label }) => /^ts\b/.test(label))
const checked = blocks.filter(({ label }) => label === 'ts')

test('blocks of TypeScript are checked, or say that they are not', () => {
  expect(blocks.map(({ label }) => label).filter((label) => !['ts', 'ts no-check'].includes(label))).toEqual(
    [],
  )
  expect(checked.length).toBeGreaterThan(20)
})

test('every block of a README is checked', () => {
  const unchecked = blocks.filter(({ document, label }) => document.endsWith('README.md') && label !== 'ts')
  expect(unchecked).toEqual([])
})

// A README is pasted, so its blocks have nothing around them. An augmentation would hold for every other block.
const isAugmentation = ({ code }: CodeBlock): boolean => code.includes('declare module')
const isPasted = ({ document }: CodeBlock): boolean => document.endsWith('README.md')
// What is migrated from augments the types of its framework, each in its own way: a guide is a program of its own.
const isGuide = ({ document }: CodeBlock): boolean => document.startsWith('docs/migrate/')
// Nest brings decorators of the legacy dialect.
const isLegacy = ({ document }: CodeBlock): boolean => /nest/.test(document)
const modern = checked.filter((block) => !isLegacy(block))
const pages = modern.filter((block) => !isPasted(block) && !isGuide(block))
const guides = Map.groupBy(checked.filter(isGuide), ({ document }) => document)

const programs: Readonly<Record<string, Program>> = {
  'of the READMEs': { blocks: modern.filter(isPasted), ambient: '' },
  'of Nest': { blocks: checked.filter(isLegacy), ambient: '', options: { experimentalDecorators: true } },
  'of the pages': {
    blocks: pages.filter((block) => !isAugmentation(block)),
    ambient: `
      declare const app: import('express').Express
      declare const guard: import('@countersign/express').Guard
    `,
  },
  'that name scopes': { blocks: pages.filter(isAugmentation), ambient: '' },
  ...Object.fromEntries(
    [...guides].map(([document, ofGuide]) => [`of ${document}`, { blocks: ofGuide, ambient: '' }]),
  ),
}

interface Program {
  readonly blocks: readonly CodeBlock[]
  /** What the blocks may use without saying where it is from. */
  readonly ambient: string
  readonly options?: object
}

test.each(Object.entries(programs))('every block %s compiles', async (_, program) => {
  using workshop = new Workshop()
  expect(program.blocks).not.toEqual([])
  for (const block of program.blocks) workshop.write(`blocks/${fileNameOf(block)}`, block.code)
  workshop.write('ambient.d.ts', program.ambient)
  for (const [name, text] of Object.entries(surroundings)) workshop.write(name, text)
  const tsconfig = {
    extends: `${root}tsconfig.base.json`,
    compilerOptions: { noEmit: true, ...program.options },
    include: ['.'],
  }
  workshop.write('tsconfig.json', JSON.stringify(tsconfig))
  expect(await compile(workshop.folder)).toBe('')
})

const fileNameOf = ({ document, line }: CodeBlock): string =>
  `${document.replaceAll(/[^A-Za-z0-9]+/g, '-')}-line-${line}.ts`

async function compile(folder: string): Promise<string> {
  const tsc = `${root}node_modules/typescript/bin/tsc`
  try {
    await promisify(execFile)(process.execPath, [tsc, '-p', folder], { cwd: folder })
    return ''
  } catch (error) {
    if (error instanceof Error && 'stdout' in error) return String(error.stdout)
    throw error
  }
}

// What the documents import and this workspace does not have: the reader's own application, and packages of others.
const surroundings = {
  'src/orders.ts': `
    import type { Caller } from '@countersign/core'
    export declare function listOrders(caller: Caller): Promise<readonly unknown[]>
  `,
  'src/app.ts': `
    import type { GuardOptions } from '@countersign/express'
    import type { Express } from 'express'
    export declare function createApp(options: GuardOptions): Express
  `,
  'src/services.ts': `
    import type {
      MethodDefinition,
      UntypedServiceImplementation,
      handleServerStreamingCall,
      handleUnaryCall,
    } from '@grpc/grpc-js'
    export interface OrdersServer extends UntypedServiceImplementation {
      get: handleUnaryCall<object, { calledBy: string }>
      watch: handleServerStreamingCall<object, { calledBy: string }>
    }
    export declare const OrdersService: Record<'get' | 'watch', MethodDefinition<object, object>>
    export declare const ordersHandlers: OrdersServer
    export declare const HealthService: Record<'check', MethodDefinition<object, object>>
    export declare const checkHealth: handleUnaryCall<object, object>
  `,
  'src/users.ts': `
    export declare function findUser(subject: string | undefined): Promise<object | undefined>
  `,
  'strangers.d.ts': `
    declare module 'supertest' {
      interface Test extends PromiseLike<unknown> {
        set(headers: object): Test
        set(name: string, value: string): Test
        expect(status: number): Test
      }
      export default function request(app: unknown): { get(path: string): Test }
    }
    declare module 'serve-static' {
      type Handler = import('@countersign/node-http').Middleware<import('http').IncomingMessage, import('http').ServerResponse>
      export default function serveStatic(root: string): Handler
    }
    declare module 'cors' {
      export default function cors(): import('express').RequestHandler
    }
  `,
}
