// The published schema, asked as an editor asks it.
import Ajv2020 from 'ajv/dist/2020.js'
import { parse } from 'yaml'
import { read } from '../docs/documents.ts'

export const schema: Readonly<Record<string, unknown>> = JSON.parse(read('packages/policy/schema.json'))

const validate = new Ajv2020.default({ strictTypes: true, allowUnionTypes: true, allErrors: true }).compile(
  schema,
)

/** What the schema finds wrong with a document; empty where nothing is. */
export function schemaProblemsOf(text: string): readonly string[] {
  if (validate(parse(text, { version: '1.2', schema: 'core', logLevel: 'silent' }))) return []
  return (validate.errors ?? []).map(({ instancePath, message = '' }) => `${instancePath} ${message}`)
}
