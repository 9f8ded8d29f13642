import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { stirApiProblem } from '../dialects/stir-api-problem.js';
import type { StirApiProblem } from '../dialects/stir-api-problem.js';
import type { Clients } from './clients.js';
import { problemAnswer, sendAnswer } from './answer.js';
import type { Answer } from './answer.js';
import type { CallContext } from './call-context.js';
import type { CallRoute } from './call-routes.js';
import { accepts, isJson, mediaType } from './media-types.js';
import type { PlainAnswer, PlainHandler } from './plain-connections.js';
import { readRequestBody, textOf } from './read-request-body.js';
import type { BodyResult } from './read-request-body.js';

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
      return servePlain(options, {
        route,
        query,
        method: 'POST',
        headers,
        remoteAddress,
        readBody: () => textOf(body),
      });
    },
  };
}

async function servePlain(options: ServeCallsOptions, exchange: Exchange): Promise<PlainAnswer> {
  const { answer, requestId } = await answered(options, exchange);
  return { answer, requestId, isLast: options.isDraining() };
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

interface Answered {
  readonly answer: Answer;
  readonly requestId: string;
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
    readBody: () => readRequestBody(request, { maxBytes: options.maxBodyBytes, isSip: route.takes === 'sip' }),
  });
  // What was refused unread would be taken for the next request of the connection.
  const isToBeClosed = options.isDraining() || hasUnread(request);
  sendAnswer(
    response,
    answer,
    isToBeClosed ? [X_REQUEST_ID, requestId, 'Connection', 'close'] : [X_REQUEST_ID, requestId],
  );
}

/** Finds the answer, counts it and tells of it. Never rejects. */
async function answered(options: ServeCallsOptions, exchange: Exchange): Promise<Answered> {
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
      answer = await answerOf({ exchange, context, requestId, client });
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

const X_REQUEST_ID = 'X-RequestID';
const NOT_AUTHENTICATED: Answer = {
  ...problemAnswer(stirApiProblem('not-authenticated')),
  headers: ['WWW-Authenticate', 'Bearer'],
};

interface Admitted {
  readonly exchange: Exchange;
  readonly context: CallContext;
  readonly requestId: string;
  readonly client: string;
}

async function answerOf(admitted: Admitted): Promise<Answer> {
  const { exchange, context, requestId, client } = admitted;
  const { route, headers, query } = exchange;
  const refusal = refusalOf(route, exchange);
  if (refusal !== undefined)
    return refusal.status === 405 ? { ...problemAnswer(refusal), headers: ['Allow', 'POST'] } : problemAnswer(refusal);
  const reading = exchange.readBody();
  const body = reading instanceof Promise ? await reading : reading;
  if (body.status !== 'read') return BODY_PROBLEMS[body.status];
  if (body.text === '' && route.takes !== 'json') return problemAnswer(stirApiProblem('body-missing'));
  return route.answer(
    { text: body.text, query: query === '' ? NO_QUERY : new URLSearchParams(query), headers, client, requestId },
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
