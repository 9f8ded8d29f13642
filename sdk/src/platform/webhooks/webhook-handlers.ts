import type { IncomingMessage, ServerResponse } from 'node:http';
import { HopbackError } from '../../errors.js';
import type { WebhookAnswer, WebhookReceiver } from './webhook-receiver.js';

/**
 * Binds a receiver to a server of `node:http` or `node:https`. Which path is which is for whoever calls.
 * @param receiver - takes webhooks in
 * @returns a listener of requests; it answers each, and never throws
 * @see https://nodejs.org/api/http.html#event-request
 * @example
 * ```ts
 * const { createServer } = await import('node:http');
 * const receiver = createWebhookReceiver({ secrets: ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'], consume: () => {} });
 * const server = createServer(nodeWebhookHandler(receiver)).listen(0, '127.0.0.1');
 * server.close();
 * ```
 */
export function nodeWebhookHandler(
  receiver: WebhookReceiver,
): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    void receiveStream(receiver, request).then((answer) => writeAnswer(response, answer));
  };
}

/** As much of a Hono context as is needed. */
export interface HonoContextLike {
  readonly req: { readonly raw: Request };
}

/**
 * Binds a receiver to a route of Hono, or of anything else that has Fetch requests and responses.
 * @param receiver - takes webhooks in
 * @returns a handler; it never rejects
 * @see https://hono.dev/docs/api/routing
 * @example
 * ```ts
 * const receiver = createWebhookReceiver({ secrets: ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'], consume: () => {} });
 * const handler = honoWebhookHandler(receiver);
 * const response = await handler({ req: { raw: new Request('https://carrier.example/hooks', { method: 'POST' }) } });
 * console.log(response.status); // 401
 * ```
 */
export function honoWebhookHandler(receiver: WebhookReceiver): (context: HonoContextLike) => Promise<Response> {
  return async ({ req: { raw } }) => {
    const body = await readChunks(receiver, raw.headers.get('content-length'), raw.body ?? []);
    if (body === 'broken') return new Response(null, { status: 400 });
    const answer = body === 'too-large' ? receiver.tooLarge() : await receiver.receive({ headers: raw.headers, body });
    return new Response(answer.status === 204 ? null : answer.body, { status: answer.status, headers: answer.headers });
  };
}

/** As much of an Express request as is needed. */
export type ExpressRequestLike = IncomingMessage & {
  /** What a parser in front made of the body. */
  readonly body?: unknown;
};

/**
 * Binds a receiver to a route of Express. A parser in front of it must leave the octets as they are: that of `express.raw`, or none.
 * @param receiver - takes webhooks in
 * @returns a handler; it never throws, and tells `next` {@link HopbackError} `invalid-configuration` where a parser has taken the octets
 * @see https://expressjs.com/en/guide/routing.html
 * @example
 * ```ts
 * const receiver = createWebhookReceiver({ secrets: ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'], consume: () => {} });
 * // app.post('/hooks', expressWebhookHandler(receiver));
 * console.log(expressWebhookHandler(receiver).length); // 3
 * ```
 */
export function expressWebhookHandler(
  receiver: WebhookReceiver,
): (request: ExpressRequestLike, response: ServerResponse, next: (error: unknown) => void) => void {
  return (request, response, next) => {
    const { body } = request;
    // Whatever stands in body where nothing was read: parsers leave something there for media types that are not theirs.
    if (!request.readableDidRead) {
      void receiveStream(receiver, request).then((answer) => writeAnswer(response, answer));
    } else if (body instanceof Uint8Array || typeof body === 'string') {
      void receiver.receive({ headers: request.headers, body }).then((answer) => writeAnswer(response, answer));
    } else {
      next(
        new HopbackError(
          'invalid-configuration',
          'a parser took the octets of the webhook, which are what is signed: put the route before express.json(), or behind express.raw()',
        ),
      );
    }
  };
}

async function receiveStream(receiver: WebhookReceiver, request: IncomingMessage): Promise<WebhookAnswer | undefined> {
  const body = await readChunks(receiver, request.headers['content-length'], octetsOf(request));
  if (body === 'broken') return undefined;
  return body === 'too-large' ? receiver.tooLarge() : receiver.receive({ headers: request.headers, body });
}

/** Not the request itself: leaving its own iteration early would take away the connection, and with it the answer. */
const octetsOf = (request: IncomingMessage): AsyncIterable<unknown> => request.iterator({ destroyOnReturn: false });

/** Reads a body, or finds that it is too large: said in advance, or met. */
async function readChunks(
  { maxBytes }: WebhookReceiver,
  contentLength: string | null | undefined,
  chunks: unknown,
): Promise<Uint8Array | 'too-large' | 'broken'> {
  if (Number(contentLength ?? 0) > maxBytes) return 'too-large';
  const parts: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of chunks as AsyncIterable<Uint8Array>) {
      size += chunk.length;
      if (size > maxBytes) return 'too-large';
      parts.push(chunk);
    }
  } catch {
    return 'broken';
  }
  return Buffer.concat(parts);
}

/** Nobody is left to be answered where the request broke off. */
function writeAnswer(response: ServerResponse, answer: WebhookAnswer | undefined): void {
  if (answer === undefined || response.headersSent || response.destroyed) return;
  // What is left of a body that is too large is not read.
  const fields = answer.status === 413 ? { ...answer.headers, connection: 'close' } : answer.headers;
  response.writeHead(answer.status, fields);
  response.end(answer.body);
}
