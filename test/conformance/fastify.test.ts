import { conformance } from './conformance.ts'
import { fastifySubjects } from './subjects/fastify.ts'
import { overHttp } from './wires/http.ts'

for (const subject of fastifySubjects) conformance(overHttp(subject))
