import { fastifySubjects } from '../../conformance/subjects/fastify.ts'
import { threatsThrough } from './threats.ts'

for (const subject of fastifySubjects) threatsThrough(subject)
