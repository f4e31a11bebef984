import { conformance } from './conformance.ts'
import { honoSubjects } from './subjects/hono.ts'
import { overHttp } from './wires/http.ts'

for (const subject of honoSubjects) conformance(overHttp(subject))
