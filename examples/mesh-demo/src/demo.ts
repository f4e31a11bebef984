// `node src/demo.ts [--json | --serve]`: a small shop of real services, and what each of them lets through.
import { shareCompiledCode } from './processes/compiled-code.ts'

// Only what is loaded after this is kept.
shareCompiledCode()
await import('./main.ts')
