import { conformance } from './conformance.ts'
import { wsSubjects } from './subjects/ws.ts'

for (const subject of wsSubjects) conformance(subject)
