import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { createDatagramLane } from './datagram-lane.js';
import { createDatagramSources } from './datagram-sources.js';
import type { DatagramSettings } from './fault-settings.js';
import { SOCKET_BUFFER_BYTES } from './relay-transport.js';
import type { RelayAddress, RelayContext, RelayTransport } from './relay-transport.js';

/**
 * Starts a relay between UDP sockets. Rejects with the error of the socket that could not be bound.
 * @param idleMs - after so long without a datagram either way a source is forgotten
 */
export async function startDatagramRelay(
  context: RelayContext<DatagramSettings>,
  idleMs: number,
): Promise<RelayTransport> {
  const { target, maxSources, clock, ledger } = context;
  const socket = await bind(context.listen);
  const toTarget = createDatagramLane(context, {
    direction: 'toTarget',
    send: (source, octets, done) => source.send(octets, done),
  });
  const toSource = createDatagramLane(context, {
    direction: 'toSource',
    send: ({ address }, octets, done) => socket.send(octets, address.port, address.host, done),
  });
  const sources = createDatagramSources({
    ...{ target, maxSources, idleMs, clock },
    onReply: toSource.arrive,
    onError: () => ledger.count('toTarget', 'errors'),
  });
  socket.on('message', (octets, { address: host, port }) => {
    // From port 0 it came without a wish for an answer, and none could be sent.
    toTarget.arrive(port === 0 ? undefined : sources.of({ host, port }), octets);
  });
  socket.on('error', () => ledger.count('toSource', 'errors'));
  const { address: host, port } = socket.address();
  return {
    address: { host, port },
    openSources: sources.open,
    pausedOrResumed: () => undefined,
    close: async () => {
      toTarget.stop();
      toSource.stop();
      await Promise.all([sources.close(), new Promise<void>((resolve) => void socket.close(resolve))]);
      toTarget.dropRest();
      toSource.dropRest();
    },
  };
}

function bind({ host, port }: RelayAddress): Promise<Socket> {
  const socket = createSocket({
    type: isIPv6(host) ? 'udp6' : 'udp4',
    recvBufferSize: SOCKET_BUFFER_BYTES,
    sendBufferSize: SOCKET_BUFFER_BYTES,
  });
  return new Promise((resolve, reject) => {
    const refuse = (error: Error): void => void socket.close(() => reject(error));
    socket.once('error', refuse);
    socket.bind(port, host, () => {
      socket.off('error', refuse);
      resolve(socket);
    });
  });
}
