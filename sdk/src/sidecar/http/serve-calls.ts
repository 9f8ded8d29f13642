import { hash, randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { ListenerConfiguration } from '../config/configuration.schema.js';
import { stirApiProblem } from '../dialects/stir-api.js';
import type { StirApiProblem } from '../dialects/stir-api.js';
import { accepts, isJson, mediaType, problemAnswer, sendAnswer } from './call-context.js';
import type { Answer, CallContext } from './call-context.js';
import type { CallRoute } from './call-routes.js';
import type { PlainAnswer, PlainHandler } from './listen.js';

/** Who asks, or why nobody is let in. */
type ClientResult =
  | { readonly status: 'admitted'; readonly name: string }
  | { readonly status: 'unknown' }
  | { readonly status: 'too-many'; readonly retryAfterSeconds: number };

/** What a client is known by. */
export interface ClientMarks {
  readonly remoteAddress: string;
  /** Value of Authorization. */
  readonly authorization: string | undefined;
}

/** Tells clients apart and holds them to their rate. */
export type Clients = ReturnType<typeof createClients>;

/** Clients whose rate is known; whoever comes with more has the ones that came longest ago forgotten, which have a full measure by then. */
const MAX_CLIENTS = 10_000;

/** @param listener - its tokens and rate */
export function createClients({ tokens, requestsPerSecond }: ListenerConfiguration) {
  const byHash = new Map(tokens.map(({ name, sha256 }) => [sha256, name]));
  const buckets = new Map<string, { level: number; atMs: number }>();
  const take = (name: string, perSecond: number, nowMs: number): number => {
    const bucket = buckets.get(name) ?? { level: Math.max(1, perSecond), atMs: nowMs };
    buckets.delete(name);
    buckets.set(name, bucket);
    if (buckets.size > MAX_CLIENTS) for (const [oldest] of buckets) if (buckets.delete(oldest)) break;
    bucket.level = Math.min(
      Math.max(1, perSecond),
      bucket.level + (Math.max(0, nowMs - bucket.atMs) * perSecond) / 1_000,
    );
    bucket.atMs = nowMs;
    if (bucket.level < 1) return Math.max(1, Math.ceil((1 - bucket.level) / perSecond));
    bucket.level -= 1;
    return 0;
  };
  return {
    admit({ remoteAddress, authorization }: ClientMarks, nowMs: number): ClientResult {
      const name = byHash.size === 0 ? remoteAddress : byHash.get(tokenHash(authorization));
      if (name === undefined) return { status: 'unknown' };
      if (requestsPerSecond === undefined) return { status: 'admitted', name };
      const retryAfterSeconds = take(name, requestsPerSecond, nowMs);
      return retryAfterSeconds === 0 ? { status: 'admitted', name } : { status: 'too-many', retryAfterSeconds };
    },
  };
}

const BEARER = /^Bearer +([\w.~+/=-]{1,512})$/i;

/** Of the hash nothing can be learned by how long a comparison takes. */
function tokenHash(authorization = ''): string {
  const [, token] = BEARER.exec(authorization) ?? [];
  return token === undefined ? '' : hash('sha256', token);
}

/** What came of the body of a request. */
type BodyResult =
  | { readonly status: 'read'; readonly text: string }
  | { readonly status: 'too-large' }
  /** The client went away, or what it sent is no UTF-8. */
  | { readonly status: 'broken' };

/**
 * Reads a whole body as text.
 * @param request - of which nothing was read
 * @param maxBytes - more is not kept
 * @param isSip - any octets are taken, since nobody keeps those of a SIP message to UTF-8
 * @returns the text; never rejects
 */
function readRequestBody(request: IncomingMessage, maxBytes: number, isSip: boolean): Promise<BodyResult> {
  const declared = Number(request.headers['content-length'] ?? '0');
  if (declared > maxBytes) return Promise.resolve({ status: 'too-large' });
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= maxBytes) chunks.push(chunk);
      else resolve({ status: 'too-large' });
    });
    request.on('end', () => {
      const bytes = chunks.length === 1 ? (chunks[0] ?? NOTHING) : Buffer.concat(chunks);
      const read = textOf(bytes);
      resolve(read.status === 'broken' && isSip ? { status: 'read', text: bytes.toString('latin1') } : read);
    });
    request.on('error', () => resolve({ status: 'broken' }));
    request.on('close', () => resolve({ status: 'broken' }));
  });
}

const NOTHING = Buffer.alloc(0);
const UTF8 = new TextDecoder('utf-8', { fatal: true });

/** Text of the octets of a body; never throws for peer input. */
function textOf(bytes: Buffer): BodyResult {
  // Nearly every body is of ASCII alone, which the fast way gives as it is.
  const text = bytes.toString('latin1');
  if (!NOT_ASCII.test(text)) return { status: 'read', text };
  try {
    return { status: 'read', text: UTF8.decode(bytes) };
  } catch {
    return { status: 'broken' };
  }
}

const NOT_ASCII = /[\u0080-\u00ff]/;

/** What calls are served with; asked at each request anew, so that a reload is in force at once. */
export interface ServeCallsOptions {
  readonly routes: () => ReadonlyMap<string, CallRoute>;
  readonly context: () => CallContext;
  readonly clients: () => Clients;
  readonly maxBodyBytes: number;
  readonly nowMs: () => number;
  /** Whether connections are to be given up: the process ends. */
  readonly isDraining: () => boolean;
  /** Whatever is no route of a call. */
  readonly otherwise: (request: IncomingMessage, response: ServerResponse) => void;
  readonly onAnswered: (answered: AnsweredRequest) => void;
}

/** A request that was answered, for the log. */
export interface AnsweredRequest {
  readonly route: string;
  readonly status: number;
  readonly requestId: string;
  readonly client: string;
}

/**
 * Makes the handler of the call listener: routes of calls straight on Node's HTTP, since a framework takes as long as a signature; everything else
 * is handed on.
 * @param options - routes, services, clients
 * @returns a handler that never throws and answers each request once
 */
export function serveCalls(options: ServeCallsOptions): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    // What proxies are asked with is the same resource. @see RFC 9112 section 3.2.2
    const url = (request.url ?? '/').replace(/^https?:\/\/[^/?#]*/i, '');
    const at = url.indexOf('?');
    const path = at < 0 ? url : url.slice(0, at);
    const route = options.routes().get(path);
    if (route === undefined) {
      options.otherwise(request, response);
      return;
    }
    void serve(options, { route, request, response, query: at < 0 ? '' : url.slice(at + 1) });
  };
}

/**
 * Answers plain requests for the routes that every call takes, by the same services.
 * @param options - those of {@link serveCalls}
 * @returns a handler; undefined for the requests of other routes
 */
export function servePlainCalls(options: ServeCallsOptions): PlainHandler {
  return {
    maxBodyBytes: options.maxBodyBytes,
    answer(plain, remoteAddress) {
      const route = options.routes().get(plain.path);
      if (route?.isPlain !== true) return undefined;
      const { headers, body, query } = plain;
      const exchange = {
        route,
        query,
        method: 'POST',
        headers,
        remoteAddress,
        readBody: () => textOf(body),
      };
      return answered(options, exchange).then((given) => ({ ...given, isLast: options.isDraining() }));
    },
  };
}

/** One request, however it was read. */
interface Exchange {
  readonly route: CallRoute;
  readonly query: string;
  readonly method: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly remoteAddress: string;
  readonly readBody: () => BodyResult | Promise<BodyResult>;
}

async function serve(
  options: ServeCallsOptions,
  call: {
    readonly route: CallRoute;
    readonly query: string;
    readonly request: IncomingMessage;
    readonly response: ServerResponse;
  },
): Promise<void> {
  const { request, response, route, query } = call;
  const { answer, requestId } = await answered(options, {
    route,
    query,
    method: request.method,
    headers: request.headers,
    remoteAddress: request.socket.remoteAddress ?? 'unknown',
    readBody: () => readRequestBody(request, options.maxBodyBytes, route.takes === 'sip'),
  });
  // What was refused unread would be taken for the next request of the connection.
  const isToBeClosed = options.isDraining() || hasUnread(request);
  const close = isToBeClosed ? ['Connection', 'close'] : [];
  sendAnswer(response, answer, ['X-RequestID', requestId, ...close]);
}

/** Finds the answer, counts it and tells of it. Never rejects. */
async function answered(options: ServeCallsOptions, exchange: Exchange): Promise<Omit<PlainAnswer, 'isLast'>> {
  const context = options.context();
  const { headers, remoteAddress, route } = exchange;
  const requestId = requestIdOf(headers);
  let client = '';
  let answer: Answer;
  try {
    const { authorization } = headers;
    const admitted = options.clients().admit({ remoteAddress, authorization }, options.nowMs());
    if (admitted.status === 'admitted') {
      client = admitted.name;
      answer = await answerOf(exchange, context, requestId, client);
    } else {
      answer =
        admitted.status === 'unknown'
          ? NOT_AUTHENTICATED
          : problemAnswer(stirApiProblem('too-many-requests'), admitted.retryAfterSeconds);
    }
  } catch (error) {
    context.onTrouble(error);
    answer = problemAnswer(stirApiProblem('internal'));
  }
  context.metrics.answered(route.name, answer.status);
  options.onAnswered({ route: route.name, status: answer.status, requestId, client });
  return { answer, requestId };
}

const hasUnread = ({ complete, headers }: IncomingMessage): boolean =>
  !complete && (headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0');

const NOT_AUTHENTICATED: Answer = {
  ...problemAnswer(stirApiProblem('not-authenticated')),
  headers: ['WWW-Authenticate', 'Bearer'],
};

async function answerOf(exchange: Exchange, context: CallContext, requestId: string, client: string): Promise<Answer> {
  const { route, headers, query } = exchange;
  const refusal = refusalOf(route, exchange);
  if (refusal !== undefined)
    return refusal.status === 405 ? { ...problemAnswer(refusal), headers: ['Allow', 'POST'] } : problemAnswer(refusal);
  const reading = exchange.readBody();
  const body = reading instanceof Promise ? await reading : reading;
  if (body.status !== 'read') return BODY_PROBLEMS[body.status];
  if (body.text === '' && route.takes !== 'json') return problemAnswer(stirApiProblem('body-missing'));
  return route.answer(
    {
      text: body.text,
      query: query === '' ? NO_QUERY : new URLSearchParams(query),
      headers,
      client,
      requestId,
    },
    context,
  );
}

const NO_QUERY = new URLSearchParams();

const BODY_PROBLEMS: Readonly<Record<'too-large' | 'broken', Answer>> = {
  'too-large': problemAnswer(stirApiProblem('body-too-large', 'the body is larger than is taken here')),
  broken: problemAnswer(stirApiProblem('body-malformed', 'the body ended early, or is no UTF-8')),
};

function refusalOf(route: CallRoute, { method, headers }: Exchange): StirApiProblem | undefined {
  if (method !== 'POST') return stirApiProblem('method-not-allowed');
  const { accept, 'content-type': contentType } = headers;
  const type = mediaType(contentType);
  if (route.takes === 'json' && !isJson(type)) return stirApiProblem('media-type', 'application/json');
  if (route.takes === 'sip' && !SIP_TYPES.has(type)) return stirApiProblem('media-type', 'text/plain');
  if (route.givesJson && !accepts(accept, 'application/json'))
    return stirApiProblem('not-acceptable', mediaType(accept));
  return undefined;
}

const SIP_TYPES: ReadonlySet<string> = new Set(['text/plain', 'message/sip', 'application/octet-stream']);

/** What may come back in a header field; anything else is replaced by an id of our own. */
const REQUEST_ID = /^[\w.:/+=@-]{1,128}$/;

function requestIdOf(headers: IncomingHttpHeaders): string {
  const given = headers['x-requestid'] ?? headers['x-request-id'];
  return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
}
