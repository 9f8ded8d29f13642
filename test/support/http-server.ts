import type { Server } from 'node:http';
import type { Server as TlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';

/** Has a server listen on a port of 127.0.0.1 that the system chooses for as long as `use` runs. */
export async function whileListening<Result>(
  server: Server | TlsServer,
  use: (port: number) => Promise<Result>,
): Promise<Result> {
  if (!server.listening) await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    return await use((server.address() as AddressInfo).port);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}
