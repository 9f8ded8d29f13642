import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { createDeliverySchedule } from './delivery-schedule.js';
import type { StreamSettings } from './fault-settings.js';
import type { RelayAddress, RelayContext, RelayTransport } from './relay-transport.js';
import { openStreamConnection } from './stream-connection.js';
import type { StreamConnection } from './stream-connection.js';

/** Starts a relay between TCP sockets. Rejects with the error of the socket that could not be bound. */
export async function startStreamRelay(context: RelayContext<StreamSettings>): Promise<RelayTransport> {
  const connections = new Set<StreamConnection>();
  const schedule = createDeliverySchedule<() => void>(context.clock, (happen) => happen());
  let count = 0;
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const connection = openStreamConnection(context, { client, number: count++, schedule });
    connections.add(connection);
    void connection.closed.then(() => connections.delete(connection));
  });
  server.maxConnections = context.maxSources;
  server.on('drop', () => context.ledger.count('toTarget', 'errors'));
  await listen(server, context.listen);
  // EMFILE and the like: nobody can be accepted for the moment.
  server.on('error', () => context.ledger.count('toTarget', 'errors'));
  const { address: host, port } = server.address() as AddressInfo;
  return {
    address: { host, port },
    openSources: () => connections.size,
    pausedOrResumed: () => {
      for (const connection of connections) connection.pausedOrResumed();
    },
    close: async () => {
      const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
      const open = [...connections];
      for (const connection of open) connection.destroy();
      schedule.close();
      await Promise.all([closed, ...open.map((connection) => connection.closed)]);
    },
  };
}

function listen(server: Server, { host, port }: RelayAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
