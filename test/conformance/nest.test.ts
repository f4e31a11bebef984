import { conformance } from './conformance.ts'
import { nestGatewaySubject } from './subjects/nest-gateways.ts'
import { nestGrpcSubject } from './subjects/nest-grpc.ts'
import { nestSubjects } from './subjects/nest.ts'
import { overHttp } from './wires/http.ts'

for (const subject of nestSubjects) conformance(overHttp(subject))
conformance(nestGrpcSubject)
conformance(nestGatewaySubject)
