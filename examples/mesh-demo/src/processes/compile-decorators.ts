// Node runs TypeScript by taking its types away. Decorators are more than types, so the one module that has some is compiled on loading.
import { readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { transformSync } from 'esbuild'

const decorated = new URL('../services/reports.ts', import.meta.url)

registerHooks({
  load(url, context, load) {
    if (url !== decorated.href) return load(url, context)
    const { code } = transformSync(readFileSync(decorated, 'utf8'), {
      loader: 'ts',
      sourcefile: decorated.pathname,
      sourcemap: 'inline',
      tsconfigRaw: { compilerOptions: { experimentalDecorators: true } },
    })
    return { format: 'module', source: code, shortCircuit: true }
  },
})
