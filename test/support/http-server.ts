import type { Server } from 'node:http';
import type { Server as TlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';

/** Has a server listen on a port of 127.0.0.1 that the system chooses, until it is disposed of. */
export async function listening(server: Server | TlsServer) {
  if (!server.listening) await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async (): Promise<void> => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The same for as long as `use` runs. */
export async function whileListening<Result>(server: Server | TlsServer, use: (port: number) => Promise<Result>) {
  await using at = await listening(server);
  return await use(at.port);
}
