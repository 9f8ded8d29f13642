import { serve } from '@hono/node-server';
import express from 'express';
import { Hono } from 'hono';
import { createServer, request } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { isHopbackError } from '../../sdk/src/errors.js';
import { signWebhook } from '../../sdk/src/platform/webhooks/verify-webhook.js';
import {
  createWebhookReceiver,
  expressWebhookHandler,
  honoWebhookHandler,
  nodeWebhookHandler,
} from '../../sdk/src/platform/webhooks/webhook-receiver.js';
import type { WebhookReceiver } from '../../sdk/src/platform/webhooks/webhook-receiver.js';
import { createdEvent } from '../support/platform-samples.js';

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const MAX_BYTES = 4_096;
const BODY = JSON.stringify(createdEvent('1'));

type Serve = (receiver: WebhookReceiver) => Promise<Server>;

const listening = async (server: Server): Promise<Server> => {
  if (!server.listening) await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
};

const withExpress =
  (...before: readonly express.RequestHandler[]): Serve =>
  (receiver) => {
    const app = express();
    for (const handler of before) app.use(handler);
    app.post('/hooks', expressWebhookHandler(receiver));
    return listening(createServer(app));
  };

const SERVERS: readonly (readonly [string, Serve])[] = [
  ['node:http', (receiver) => listening(createServer(nodeWebhookHandler(receiver)))],
  [
    'hono',
    (receiver) => {
      const app = new Hono();
      app.post('/hooks', honoWebhookHandler(receiver));
      return new Promise((resolve) => {
        const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, () => resolve(server as Server));
      });
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
  const receiver = createWebhookReceiver({
    secrets: [SECRET],
    maxBytes: MAX_BYTES,
    consume: (event) => {
      if (fails) throw new Error('no');
      seen.push(event.id);
    },
  });
  const server = await start(receiver);
  const { port } = server.address() as AddressInfo;
  const post: Served['post'] = (body, fields = {}) =>
    fetch(`http://127.0.0.1:${port}/hooks`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...signed(body), ...fields },
      body,
    });
  try {
    await use({ port, post, seen });
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

const signed = (body: string): Record<string, string> => ({
  ...signWebhook({ id: 'created-1', timestampSeconds: Math.floor(Date.now() / 1_000), body, secrets: [SECRET] }),
});

test.each(SERVERS)('%s: an event is handed on once, and acknowledged', async (_name, start) => {
  await serving(start, async ({ post, seen }) => {
    expect((await post(BODY)).status).toBe(204);
    expect((await post(BODY)).status).toBe(204);
    expect(seen).toEqual(['created-1']);
  });
});

test.each(SERVERS)(
  '%s: what is not genuine, not readable or too large is refused with its status',
  async (_name, start) => {
    await serving(start, async ({ post, seen }) => {
      const forged = await post(BODY, { 'webhook-id': 'other' });
      expect([forged.status, await forged.json()]).toMatchObject([401, { code: 'signature-mismatch' }]);
      expect(forged.headers.get('content-type')).toBe('application/problem+json');
      expect((await post('{}')).status).toBe(400);
      expect((await post(`{"x":"${'x'.repeat(MAX_BYTES)}"}`)).status).toBe(413);
      expect(seen).toEqual([]);
    });
  },
);

test.each(SERVERS)('%s: an event that could not be taken in is not acknowledged', async (_name, start) => {
  await serving(
    start,
    async ({ post }) => {
      const refused = await post(BODY);
      expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5']);
    },
    true,
  );
});

test.each(SERVERS.slice(0, 3))('%s: a body without a length is read as far as it may be', async (_name, start) => {
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

test.each(SERVERS.slice(0, 3))(
  '%s: a request that breaks off hands nothing on, and the server goes on',
  async (_name, start) => {
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
  },
);

test('express: says so where a parser has taken the octets', async () => {
  let caught: unknown;
  const start: Serve = (receiver) => {
    const app = express();
    app.use(express.json());
    app.post('/hooks', expressWebhookHandler(receiver));
    app.use(((error, _request, response, _next) => {
      caught = error;
      response.status(500).end();
    }) satisfies express.ErrorRequestHandler);
    return listening(createServer(app));
  };
  await serving(start, async ({ post, seen }) => {
    expect((await post(BODY)).status).toBe(500);
    expect(seen).toEqual([]);
  });
  expect(isHopbackError(caught) && caught.code).toBe('invalid-configuration');
});
