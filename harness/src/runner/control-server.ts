import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { BlockList, isIP } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { HopbackError } from '@hopback/sdk/errors';
import { Hono } from 'hono';
import type { Context } from 'hono';
import { RATE_FACTORS } from './run-options.js';
import type { RunControl, RunView } from './run-options.js';

/** Settings of {@link ControlServer.start}. */
export interface ControlServerOptions {
  /** An address of loopback: whoever steers a run from elsewhere goes through a tunnel. */
  readonly host: string;
  /** 0 takes any that is free. */
  readonly port: number;
  /** Bearer token that every request has to bring. Default one that nobody can guess. */
  readonly token?: string;
}

/** Longest body, octets: `{"factor": 1.5}` is one. */
const MAX_BODY_BYTES = 1_024;
/** Listeners of events at a time. */
const MAX_LISTENERS = 100;
/** A listener that reads so little that more than this waits for it is cut off, octets. */
const MAX_WAITING_BYTES = 1_048_576;

/**
 * The HTTP server that steers a run while it goes on: `GET /stats`, `GET /events` (SSE), `POST /rate {"factor": 2}`, `/pause`, `/resume`, `/stop`. Answers
 * are {@link RunView}, errors problem details of RFC 9457.
 * @see RFC 9457
 */
export class ControlServer implements AsyncDisposable {
  readonly token: string;
  readonly #server: Server;
  readonly #listeners = new Set<(text: string) => void>();
  #control: RunControl | undefined;
  #url = '';

  private constructor(token: string) {
    this.token = token;
    const app = controlApp({ token, control: () => this.#control, listeners: this.#listeners });
    const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false });
    // Its promise rejects never: what goes wrong is answered.
    this.#server = createServer({ maxHeaderSize: 8_192 }, (request, response) => void listener(request, response));
  }

  /**
   * Starts a server.
   * @param options - where it listens, and its token
   * @returns the server; it steers the run that it is given
   * @throws {@link HopbackError} `invalid-argument` when the host is not on loopback; what the system says when the port is taken
   * @example
   * ```ts
   * await using control = await ControlServer.start({ host: '127.0.0.1', port: 0 });
   * const headers = { authorization: `Bearer ${control.token}` };
   * console.log((await fetch(`${control.url}/stats`, { headers })).status); // 409
   * ```
   */
  static async start(options: ControlServerOptions): Promise<ControlServer> {
    const { host, port, token = randomBytes(24).toString('base64url') } = options;
    if (!isLoopback(host)) throw new HopbackError('invalid-argument', `${host} is not on loopback`);
    const control = new ControlServer(token);
    control.#server.listen(port, host);
    await once(control.#server, 'listening');
    const bound = control.#server.address() as AddressInfo;
    control.#url = `http://${bound.family === 'IPv6' ? `[${bound.address}]` : bound.address}:${bound.port}`;
    return control;
  }

  get url(): string {
    return this.#url;
  }

  /** Gives the server the run to steer; until then it says that there is none. */
  steer(control: RunControl): void {
    this.#control = control;
  }

  /** Sends a view to all who listen. */
  tell(view: RunView): void {
    const text = eventOf(view);
    for (const tell of this.#listeners) tell(text);
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    for (const tell of this.#listeners) tell('');
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8);
LOOPBACK.addAddress('::1', 'ipv6');

/** Whether an address can be reached from this machine alone. */
export function isLoopback(host: string): boolean {
  if (host === 'localhost') return true;
  const version = isIP(host);
  return version !== 0 && LOOPBACK.check(host, version === 6 ? 'ipv6' : 'ipv4');
}

interface AppParts {
  readonly token: string;
  readonly control: () => RunControl | undefined;
  readonly listeners: Set<(text: string) => void>;
}

function controlApp({ token, control, listeners }: AppParts): Hono {
  const app = new Hono();
  app.use(async (context, next) => {
    context.header('cache-control', 'no-store');
    if (!isToken(context.req.header('authorization'), token)) {
      context.header('www-authenticate', 'Bearer');
      return problem(context, 401, 'The token is missing or another one');
    }
    await next();
    return undefined;
  });
  const steered = async (context: Context, act: (given: RunControl) => void): Promise<Response> => {
    const given = control();
    if (given === undefined) return problem(context, 409, 'The run has not begun');
    act(given);
    return context.json(given.view());
  };
  app.get('/stats', (context) => steered(context, () => undefined));
  app.get('/events', (context) => {
    if (listeners.size >= MAX_LISTENERS) return problem(context, 503, 'Too many listen');
    return new Response(eventStream(listeners, control()), {
      headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-store' },
    });
  });
  app.post('/pause', (context) => steered(context, (given) => given.pause()));
  app.post('/resume', (context) => steered(context, (given) => given.resume()));
  app.post('/stop', (context) => steered(context, (given) => given.stop()));
  app.post('/rate', async (context) => {
    const factor = factorOf(await boundedBody(context.req.raw));
    if (factor === undefined) {
      return problem(context, 422, `The body is not {"factor": N} with ${RATE_FACTORS.min} to ${RATE_FACTORS.max}`);
    }
    return steered(context, (given) => given.setRate(factor));
  });
  app.notFound((context) => problem(context, 404, 'There is /stats, /events, /rate, /pause, /resume and /stop'));
  return app;
}

function problem(context: Context, status: 401 | 404 | 409 | 422 | 503, title: string): Response {
  return context.body(JSON.stringify({ type: 'about:blank', title, status }), status, {
    'content-type': 'application/problem+json',
  });
}

function isToken(header: string | undefined, token: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(header ?? ''), digest(`Bearer ${token}`));
}

async function boundedBody(request: Request): Promise<string | undefined> {
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of request.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > MAX_BODY_BYTES) return undefined;
  }
  return text;
}

function factorOf(text: string | undefined): number | undefined {
  try {
    const value: unknown = JSON.parse(text ?? '');
    if (typeof value !== 'object' || value === null || !('factor' in value)) return undefined;
    const { factor } = value;
    const isFactor = typeof factor === 'number' && factor >= RATE_FACTORS.min && factor <= RATE_FACTORS.max;
    return isFactor ? factor : undefined;
  } catch {
    return undefined;
  }
}

const eventOf = (view: RunView): string =>
  `event: ${view.stage === 'over' ? 'over' : 'view'}\ndata: ${JSON.stringify(view)}\n\n`;

function eventStream(
  listeners: Set<(text: string) => void>,
  control: RunControl | undefined,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let tell: (text: string) => void = () => undefined;
  return new ReadableStream<Uint8Array>(
    {
      start: (stream) => {
        tell = (text) => {
          const isSlow = (stream.desiredSize ?? 0) < -MAX_WAITING_BYTES;
          if (text !== '' && !isSlow) stream.enqueue(encoder.encode(text));
          if (text !== '' && !isSlow && !text.startsWith('event: over')) return;
          listeners.delete(tell);
          stream.close();
        };
        listeners.add(tell);
        if (control !== undefined) tell(eventOf(control.view()));
      },
      cancel: () => void listeners.delete(tell),
    },
    new ByteLengthQueuingStrategy({ highWaterMark: 0 }),
  );
}
