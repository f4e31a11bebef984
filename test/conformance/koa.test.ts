import { conformance } from './conformance.ts'
import { koaSubjects } from './subjects/koa.ts'
import { overHttp } from './wires/http.ts'

for (const subject of koaSubjects) conformance(overHttp(subject))
