import { conformance } from './conformance.ts'
import { grpcSubject } from './subjects/grpc.ts'

conformance(grpcSubject)
