import { EventEmitter, once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { guardSocket } from '../../sdk/src/cli/inputs/redirect-rules.js';

/** A connection whose other side never closes it, and what a library does with its octets. */
async function connected(onData: (octets: Uint8Array) => void) {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const wp = new EventEmitter();
  const cut = guardSocket({ app: { client: { wp } } });
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.on('data', onData);
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  wp.emit('connect', socket);
  const [peer] = await accepted;
  peer.on('error', () => undefined);
  return {
    ...{ cut, socket, peer },
    [Symbol.asyncDispose]: async () => {
      socket.destroy();
      peer.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

test('octets reach the listener once, and what it throws closes the connection', async () => {
  const heard: string[] = [];
  await using open = await connected((octets) => {
    heard.push(Buffer.from(octets).toString());
    if (heard.length === 2) throw new Error('no frame');
  });
  open.peer.write('good');
  await once(open.socket, 'data');
  const closed = new Promise<boolean>((resolve) => open.socket.on('close', resolve));
  open.peer.write('bad');
  expect([await closed, heard]).toEqual([true, ['good', 'bad']]);
});

test('a connection is cut although the other side keeps it', async () => {
  await using open = await connected(() => undefined);
  open.socket.end();
  await once(open.socket, 'finish');
  open.cut();
  await once(open.socket, 'close');
  expect(open.socket.destroyed).toBe(true);
});

test('where drachtio-srf has no such socket nothing is guarded, and nothing thrown', () => {
  expect(() => guardSocket({})()).not.toThrow();
  expect(() => guardSocket({ app: { client: {} } })()).not.toThrow();
});
