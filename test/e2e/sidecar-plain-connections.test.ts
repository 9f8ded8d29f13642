import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, expect, test } from 'vitest';
import { openSidecarLab } from '../support/sidecar-lab.js';

const lab = await openSidecarLab();
const sidecar = await lab.start();
afterAll(() => lab[Symbol.asyncDispose]());

/** One connection, octets in and out. */
async function connection() {
  const socket = connect({ port: sidecar.calls.port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
  await once(socket, 'connect');
  let text = '';
  socket.setEncoding('latin1');
  socket.on('data', (chunk: string) => (text += chunk));
  const isWhole = (count: number): boolean => text.split('HTTP/1.1 ').length > count && text.endsWith('\n');
  return {
    socket,
    answers: async (count: number): Promise<readonly string[]> => {
      while (!isWhole(count)) await Promise.race([once(socket, 'data'), once(socket, 'end')]);
      const found = text.split('HTTP/1.1 ').slice(1);
      text = '';
      return found.map((answer) => `${answer.slice(0, 3)} ${answer.slice(answer.indexOf('\r\n\r\n') + 4).trim()}`);
    },
  };
}

const check = (fields = ''): string => {
  const identity = lab.identity();
  return `POST /v1/check HTTP/1.1\r\nHost: h\r\n${fields}Content-Length: ${String(identity.length)}\r\n\r\n${identity}`;
};
const PROBE = 'GET /livez HTTP/1.1\r\nHost: h\r\n\r\n';

test('plain requests are answered one after the other on one connection, with the date and an id', async () => {
  const { socket, answers } = await connection();
  const heard = once(socket, 'data');
  socket.write(check('X-RequestID: call-7\r\n'));
  const [first] = (await heard) as [string];
  expect(first).toContain('\r\nX-RequestID: call-7\r\n');
  expect(Date.parse(/\r\nDate: (.*)\r\n/.exec(first)?.[1] ?? '')).toBeGreaterThan(Date.now() - 5_000);
  expect(await answers(1)).toEqual(['200 OK']);
  socket.write(check());
  expect(await answers(1)).toEqual(['200 OK']);
  socket.destroy();
});

test('a body that comes in pieces is waited for, and one that drips in goes to the whole parser', async () => {
  const { socket, answers } = await connection();
  for (const pieces of [2, 40]) {
    const whole = check();
    const bodyAt = whole.indexOf('\r\n\r\n') + 4;
    socket.write(whole.slice(0, bodyAt));
    const size = Math.ceil((whole.length - bodyAt) / pieces);
    for (let at = bodyAt; at < whole.length; at += size) {
      await new Promise((resolve) => setImmediate(resolve));
      socket.write(whole.slice(at, at + size));
    }
    expect(await answers(1)).toEqual(['200 OK']);
  }
  socket.destroy();
});

test('requests that come together are answered in their order, whichever reads them', async () => {
  const { socket, answers } = await connection();
  socket.write(check() + PROBE + check() + check());
  expect(await answers(4)).toEqual(['200 OK', '200 ok', '200 OK', '200 OK']);
  socket.destroy();
});

test('requests that come while one is answered wait for their turn', async () => {
  const { socket, answers } = await connection();
  const slow = lab.server.publish('/slow.pem', lab.provider.chainPem);
  const release = lab.server.hold('/slow.pem');
  const identity = lab.identity({ x5u: slow });
  socket.write(`POST /v1/check HTTP/1.1\r\nHost: h\r\nContent-Length: ${String(identity.length)}\r\n\r\n${identity}`);
  await lab.server.requested('/slow.pem', 1);
  socket.write(check());
  socket.write(PROBE);
  release();
  expect(await answers(3)).toEqual(['200 OK', '200 OK', '200 ok']);
  socket.destroy();
});

test('a client that sends no more after its request gets its answer', async () => {
  const { socket, answers } = await connection();
  socket.end(check());
  expect(await answers(1)).toEqual(['200 OK']);
  await once(socket, 'close');
});

test('what two parsers could read in two ways is refused, and nothing of its body is taken for a request', async () => {
  for (const fields of ['Transfer-Encoding: chunked\r\n', 'Content-Length: 3\r\n']) {
    const { socket } = await connection();
    let text = '';
    socket.on('data', (chunk: string) => (text += chunk));
    const body = `0\r\n\r\n${PROBE}`;
    socket.write(
      `POST /v1/check HTTP/1.1\r\nHost: h\r\n${fields}Content-Length: ${String(body.length)}\r\n\r\n${body}`,
    );
    await once(socket, 'end');
    expect(text).toMatch(/^HTTP\/1\.1 400 /);
    expect(text.split('HTTP/1.1 ').length).toBe(2);
    socket.destroy();
  }
});
