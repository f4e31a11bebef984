import { koaSubjects } from '../../conformance/subjects/koa.ts'
import { threatsThrough } from './threats.ts'

for (const subject of koaSubjects) threatsThrough(subject)
