import { createAdaptorServer } from '@hono/node-server';
import express from 'express';
import { Hono } from 'hono';
import { createServer, request, type Server } from 'node:http';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { signWebhook } from '../../sdk/src/platform/webhooks/verify-webhook.js';
import { WebhookReceiver } from '../../sdk/src/platform/webhooks/webhook-receiver.js';
import { whileListening } from '../support/http-server.js';
import { createdEvent } from '../support/platform-samples.js';

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const MAX_BYTES = 4_096;
const BODY = JSON.stringify(createdEvent('1'));

type Serve = (receiver: WebhookReceiver) => Server;

const withExpress =
  (...before: readonly express.RequestHandler[]): Serve =>
  (receiver) => {
    const app = express();
    for (const handler of before) app.use(handler);
    app.post('/hooks', receiver.expressHandler);
    return createServer(app);
  };

const SERVERS: readonly (readonly [string, Serve])[] = [
  ['node:http', (receiver) => createServer(receiver.nodeHandler)],
  [
    'hono',
    (receiver) => {
      const app = new Hono();
      app.post('/hooks', receiver.honoHandler);
      return createAdaptorServer({ fetch: app.fetch }) as Server;
    },
  ],
  ['express', withExpress()],
  ['express behind express.raw', withExpress(express.raw({ type: 'application/json', limit: 1_000_000 }))],
  ['express behind express.text', withExpress(express.text({ type: 'application/json', limit: 1_000_000 }))],
];

interface Served {
  readonly port: number;
  readonly post: (body: string, fields?: Record<string, string>) => Promise<Response>;
  readonly seen: readonly string[];
}

async function serving(start: Serve, use: (served: Served) => Promise<void>, fails = false): Promise<void> {
  const seen: string[] = [];
  const receiver = new WebhookReceiver({
    secrets: [SECRET],
    maxBytes: MAX_BYTES,
    consume: (event) => {
      if (fails) throw new Error('no');
      seen.push(event.id);
    },
  });
  await whileListening(start(receiver), async (port) => {
    const post: Served['post'] = (body, fields = {}) =>
      fetch(`http://127.0.0.1:${port}/hooks`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...signed(body), ...fields },
        body,
      });
    await use({ port, post, seen });
  });
}

const signed = (body: string): Record<string, string> => ({
  ...signWebhook({ id: 'created-1', timestampSeconds: Math.floor(Date.now() / 1_000), body, secrets: [SECRET] }),
});

test.each(SERVERS)('%s: hands an event on once, and answers by what is wrong with a request', async (_name, start) => {
  await serving(start, async ({ post, seen }) => {
    const forged = await post(BODY, { 'webhook-id': 'other' });
    expect([forged.status, await forged.json()]).toMatchObject([401, { code: 'signature-mismatch' }]);
    expect(forged.headers.get('content-type')).toBe('application/problem+json');
    expect((await post('{}')).status).toBe(400);
    expect((await post(`{"x":"${'x'.repeat(MAX_BYTES)}"}`)).status).toBe(413);
    expect(seen).toEqual([]);
    expect((await post(BODY)).status).toBe(204);
    expect((await post(BODY)).status).toBe(204);
    expect(seen).toEqual(['created-1']);
  });
  const failing = async ({ post }: Served): Promise<void> => {
    const refused = await post(BODY);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5']);
  };
  await serving(start, failing, true);
});

test.each(SERVERS.slice(0, 3))('%s: reads a body without a length up to the limit', async (_name, start) => {
  await serving(start, async ({ port }) => {
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const posting = request(
        { port, host: '127.0.0.1', path: '/hooks', method: 'POST', headers: { 'transfer-encoding': 'chunked' } },
        (response) => resolve(response.resume().statusCode),
      );
      posting.on('error', reject);
      posting.write('x'.repeat(MAX_BYTES));
      posting.write('x');
      posting.end();
    });
    expect(status).toBe(413);
  });
});

test.each(SERVERS.slice(0, 3))('%s: ignores a request that breaks off', async (_name, start) => {
  await serving(start, async ({ port, post, seen }) => {
    await new Promise<void>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => {
        const fields = Object.entries({ ...signed(BODY), host: 'here', 'content-length': String(BODY.length) });
        socket.write(`POST /hooks HTTP/1.1\r\n${fields.map((field) => field.join(': ')).join('\r\n')}\r\n\r\n{`, () =>
          socket.destroy(),
        );
      });
      socket.on('close', () => resolve());
      socket.on('error', () => {});
    });
    expect((await post(BODY)).status).toBe(204);
    expect(seen).toEqual(['created-1']);
  });
});

test('express: reports a body parser that has already consumed the body', async () => {
  let caught: unknown;
  const start: Serve = (receiver) => {
    const app = express();
    app.use(express.json());
    app.post('/hooks', receiver.expressHandler);
    app.use(((error, _request, response, _next) => {
      caught = error;
      response.status(500).end();
    }) satisfies express.ErrorRequestHandler);
    return createServer(app);
  };
  await serving(start, async ({ post, seen }) => {
    expect([(await post(BODY)).status, seen]).toEqual([500, []]);
  });
  expect(caught).toMatchObject({ code: 'invalid-configuration' });
});
