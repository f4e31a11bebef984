import { conformance } from './conformance.ts'
import { expressSubjects } from './subjects/express.ts'
import { overHttp } from './wires/http.ts'

for (const subject of expressSubjects) conformance(overHttp(subject))
