import { grpcDoor } from './doors/grpc.ts'
import { threatsAt } from './threats.ts'

threatsAt(grpcDoor)
