// A call as octets, for what no client would send: two fields of a name that may come once.
import { connect, type Socket } from 'node:net'

/** Sends a unary call over a connection of its own. Whoever calls this destroys the socket. */
export function sendRawCall(
  port: number,
  fields: readonly (readonly [name: string, value: string])[],
  message: Buffer,
): Socket {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => undefined)
  const body = Buffer.concat([Buffer.from([0]), uint32(message.length), message])
  socket.write(
    Buffer.concat([
      Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
      frame(settings, 0, 0, Buffer.alloc(0)),
      frame(headers, endHeaders, 1, Buffer.concat(fields.map(literal))),
      frame(data, endStream, 1, body),
    ]),
  )
  return socket.resume()
}

const [data, headers, settings] = [0, 1, 4]
const [endStream, endHeaders] = [1, 4]

// RFC 9113 §4.1.
function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  return Buffer.concat([
    uint32(payload.length).subarray(1),
    Buffer.from([type, flags]),
    uint32(stream),
    payload,
  ])
}

// RFC 7541 §6.2.2: a literal field that is not indexed.
const literal = ([name, value]: readonly [string, string]): Buffer =>
  Buffer.concat([Buffer.from([0]), text(name), text(value)])

const text = (value: string): Buffer => Buffer.concat([length(value.length), Buffer.from(value)])

// RFC 7541 §5.1, with a prefix of seven bits.
function length(value: number): Buffer {
  if (value < 127) return Buffer.from([value])
  const octets = [127]
  let left = value - 127
  for (; left >= 128; left = Math.floor(left / 128)) octets.push((left % 128) + 128)
  return Buffer.from([...octets, left])
}

function uint32(value: number): Buffer {
  const octets = Buffer.alloc(4)
  octets.writeUInt32BE(value)
  return octets
}
