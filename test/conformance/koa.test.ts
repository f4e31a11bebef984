import { conformance } from './conformance.ts'
import { koaSubjects } from './subjects/koa.ts'

for (const subject of koaSubjects) conformance(subject)
