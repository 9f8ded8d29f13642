import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** A port of 127.0.0.1 that was free a moment ago, for programs that do not tell which one they took. */
export async function freePort(transport: 'udp' | 'tcp' = 'tcp'): Promise<number> {
  const socket = transport === 'udp' ? createSocket('udp4') : createServer();
  if ('bind' in socket) socket.bind(0, '127.0.0.1');
  else socket.listen(0, '127.0.0.1');
  await once(socket, 'listening');
  const address = socket.address();
  socket.close();
  await once(socket, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}
