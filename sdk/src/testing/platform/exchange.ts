import { createHash } from 'node:crypto';
import { pause } from '../../core/runtime/clock.js';
import type { TimerClock } from '../../core/runtime/clock.js';
import { HopbackError } from '../../errors.js';
import { problemAnswer, problemDocument } from '../../contract/platform-answer.js';
import type { PlatformAnswer } from '../../contract/platform-answer.js';
import { createRouteMatcher, readPlatformRequest, readWireBody } from '../../contract/read-platform-request.js';
import type { MatchedRoute, ReadPlatformRequest } from '../../contract/read-platform-request.js';
import type { SignedReceipt } from '../../contract/traceback-exchange.js';
import { PLATFORM_ROUTES, WIRE_SCHEMAS } from '../../platform/index.js';
import type { PlatformRoute } from '../../platform/index.js';
import type { KitHandler } from './kit-handlers.js';
import { spoiltValue, truncated } from './platform-faults.js';
import type { CallFaultRule, FaultPlan, PlatformFault } from './platform-faults.js';
import type { KitTokens } from './registered-clients.js';

const matchRoute = createRouteMatcher(PLATFORM_ROUTES);

/** A call under a key. */
interface KeyedCall {
  readonly clientId: string;
  readonly key: string;
  /** Method and path. */
  readonly target: string;
  readonly bytes: Uint8Array;
}

/**
 * Carries each call out once: the same one again gets the stored answer, another one under its key is refused. What failed on the platform's
 * side is not stored.
 * @see draft-ietf-httpapi-idempotency-key-header-07 section 2
 */
function createIdempotencyStore(): (
  call: KeyedCall,
  carryOut: () => Promise<PlatformAnswer>,
) => Promise<PlatformAnswer> {
  const entries = new Map<string, { readonly content: string; answer?: PlatformAnswer }>();
  return async ({ clientId, key, target, bytes }, carryOut) => {
    const name = `${clientId}\n${key}`;
    const content = `${target}\n${createHash('sha256').update(bytes).digest('hex')}`;
    const entry = entries.get(name);
    if (entry !== undefined && entry.content !== content) return problemAnswer('idempotency-key-reused');
    if (entry !== undefined) return entry.answer ?? problemAnswer('idempotency-in-progress', { retryAfterSeconds: 1 });
    const begun: { readonly content: string; answer?: PlatformAnswer } = { content };
    entries.set(name, begun);
    try {
      const answer = await carryOut();
      begun.answer = answer;
      return answer;
    } catch (error) {
      entries.delete(name);
      throw error;
    }
  };
}

/** Something that is not as the contract has it. */
export interface ContractViolation {
  /** Empty where no route of the contract was called. */
  readonly operationId: string;
  /** `request`: whoever called the platform; `response`: the platform, of what a test gave it. */
  readonly side: 'request' | 'response';
  /** JSON Pointer into the body, or name of a parameter. */
  readonly pointer: string;
  readonly code: string;
}

/** One call as it was answered. */
export interface ServedCall {
  readonly operationId: string;
  /** Empty where nobody knows. */
  readonly clientId: string;
  /** HTTP status; 0 where the connection was reset. */
  readonly status: number;
  readonly fault?: PlatformFault['kind'];
  readonly idempotencyKey?: string;
}

/** What exchanges are made with. */
interface ExchangeParts {
  readonly clock: TimerClock;
  /** Path of the address of the platform, without a slash at its end. */
  readonly basePath: string;
  readonly handlers: Readonly<Record<string, KitHandler>>;
  readonly tokens: KitTokens;
  readonly faults: FaultPlan<CallFaultRule>;
  readonly forged: (receipt: SignedReceipt) => Promise<SignedReceipt>;
  readonly newId: (kind: string) => string;
  readonly violations: ContractViolation[];
  readonly calls: ServedCall[];
}

/** Answers requests: by the contract, but for the faults that are due. Never rejects. */
export function createExchange(parts: ExchangeParts): (request: Request) => Promise<Response> {
  const once = createIdempotencyStore();
  return async (request) => {
    const httpRequestId = parts.newId('req');
    const url = new URL(request.url);
    const matched = matchRoute(request.method, belowBase(url.pathname, parts.basePath));
    if (matched === undefined) {
      parts.violations.push({ operationId: '', side: 'request', pointer: request.method, code: 'no-such-route' });
      return written({ answer: problemAnswer('not-found'), httpRequestId });
    }
    const { operationId } = matched.route;
    const clientId = parts.tokens.holderOf(request.headers.get('authorization'))?.client.clientId ?? '';
    const rule = parts.faults.next(
      ({ operations, providerId }) =>
        (operations?.includes(operationId) ?? operationId !== 'issueToken') &&
        (providerId === undefined || providerId === clientId),
    );
    const key = request.headers.get('idempotency-key');
    const exchange: Exchange = {
      ...matched,
      request,
      url,
      httpRequestId,
      clientId,
      fault: rule?.fault,
    };
    const response = await respond(parts, exchange, once);
    parts.calls.push({
      operationId,
      clientId,
      status: response.status,
      ...(rule !== undefined && { fault: rule.fault.kind }),
      ...(key !== null && { idempotencyKey: key }),
    });
    return response;
  };
}

type Once = ReturnType<typeof createIdempotencyStore>;

interface Exchange extends MatchedRoute {
  readonly request: Request;
  readonly url: URL;
  readonly httpRequestId: string;
  readonly clientId: string;
  readonly fault: PlatformFault | undefined;
}

function belowBase(pathname: string, basePath: string): string {
  return pathname.startsWith(`${basePath}/`) ? pathname.slice(basePath.length) : pathname;
}

async function respond(parts: ExchangeParts, exchange: Exchange, once: Once): Promise<Response> {
  const { fault, httpRequestId, clientId, route } = exchange;
  const broken = fault === undefined ? undefined : faultyAnswer(fault);
  const isLostOnly = fault !== undefined && 'isCarriedOut' in fault && fault.isCarriedOut;
  if (broken !== undefined && !isLostOnly)
    return broken === 'reset' ? Response.error() : written({ answer: broken, httpRequestId });
  if (fault?.kind === 'expired-token') parts.tokens.expire(clientId);
  let answer: PlatformAnswer;
  try {
    answer = await carryOut(parts, exchange, once);
  } catch (error) {
    answer = problemAnswer('internal', {
      detail: error instanceof HopbackError ? error.message : 'The test platform failed.',
    });
    parts.violations.push({ operationId: route.operationId, side: 'response', pointer: '', code: codeOf(error) });
  }
  if (fault?.kind === 'forged-receipt' && answer.kind === 'json' && isReceipt(answer.value))
    answer = { ...answer, value: await parts.forged(answer.value) };
  if (fault?.kind === 'slow') await pause(fault.delayMs, parts.clock, exchange.request.signal);
  if (broken !== undefined) return broken === 'reset' ? Response.error() : written({ answer: broken, httpRequestId });
  return written({ answer, httpRequestId, route, ...(fault !== undefined && { fault }) });
}

const isReceipt = (value: unknown): value is SignedReceipt =>
  typeof value === 'object' && value !== null && 'receipt' in value;

const codeOf = (error: unknown): string => (error instanceof HopbackError ? error.code : String(error).slice(0, 200));

function faultyAnswer(fault: PlatformFault): PlatformAnswer | 'reset' | undefined {
  switch (fault.kind) {
    case 'rate-limited':
      return problemAnswer('rate-limited', { retryAfterSeconds: fault.retryAfterSeconds ?? 1 });
    case 'server-error': {
      const { status = 503 } = fault;
      if (status === 500) return problemAnswer('internal');
      if (status === 503) return problemAnswer('unavailable');
      // Of something in between, which knows nothing of problem documents.
      return { kind: 'refusal', status, value: { message: 'no upstream' } };
    }
    case 'connection-reset':
      return 'reset';
    default:
      return undefined;
  }
}

async function carryOut(parts: ExchangeParts, exchange: Exchange, once: Once): Promise<PlatformAnswer> {
  const { route, request } = exchange;
  const holder = parts.tokens.holderOf(request.headers.get('authorization'));
  if (route.allowed.length > 0) {
    if (holder === undefined) return problemAnswer('unauthenticated');
    if (!route.allowed.some((scope) => holder.scopes.includes(scope))) return problemAnswer('forbidden');
  }
  const handler = parts.handlers[route.operationId];
  if (handler === undefined) throw new HopbackError('internal', `the test platform has no ${route.operationId}`);
  const reading = await readPlatformRequest(request, { ...exchange, schemas: WIRE_SCHEMAS });
  const violate = ({ pointer, code }: { readonly pointer: string; readonly code: string }): void =>
    void parts.violations.push({ operationId: route.operationId, side: 'request', pointer, code });
  if (reading.status === 'refused') {
    for (const error of reading.errors.length > 0 ? reading.errors : [{ pointer: '', code: reading.code }])
      violate(error);
    return isOAuth(route)
      ? { kind: 'refusal', status: 400, value: { error: 'invalid_request' } }
      : problemAnswer(reading.code, { errors: reading.errors });
  }
  for (const surplus of reading.surplus) violate(surplus);
  const call = {
    request: reading.request,
    clientId: holder?.client.clientId ?? '',
    scopes: holder?.scopes ?? [],
    signal: request.signal,
  };
  const key = reading.request.parameters['Idempotency-Key'];
  const answer =
    key === undefined
      ? await handler(call)
      : await once(keyed(exchange, reading.request, key), async () => handler(call));
  return checked(route, answer, violate);
}

const isOAuth = ({ allowed }: PlatformRoute): boolean => allowed.length === 0;

function keyed({ request, url, clientId }: Exchange, { bytes }: ReadPlatformRequest, key: string): Parameters<Once>[0] {
  return { clientId, key, target: `${request.method} ${url.pathname}`, bytes };
}

/** A body that a handler makes is one of the contract; that of a JWS which a provider signed has been read by then. */
function checked(
  { response }: PlatformRoute,
  answer: PlatformAnswer,
  violate: (place: { readonly pointer: string; readonly code: string }) => void,
): PlatformAnswer {
  if (answer.kind === 'problem' && answer.code === 'invalid-body') {
    for (const { pointer, code } of answer.errors ?? [{ pointer: '', code: 'invalid-body' }])
      violate({ pointer, code });
  }
  if (answer.kind !== 'json' || response.kind !== 'json') return answer;
  const { errors, surplus } = readWireBody(WIRE_SCHEMAS[response.body], answer.value);
  const [wrong] = [...errors, ...surplus];
  if (wrong === undefined) return answer;
  throw new HopbackError('internal', `${response.body} is not in the form of the contract at "${wrong.pointer}"`);
}

interface Writing {
  readonly answer: PlatformAnswer;
  readonly httpRequestId: string;
  readonly route?: PlatformRoute;
  readonly fault?: PlatformFault;
}

function written({ answer, httpRequestId, route, fault }: Writing): Response {
  const headers = { 'request-id': httpRequestId };
  if (answer.kind === 'event-stream') {
    const streaming = { ...headers, 'content-type': 'text/event-stream', 'cache-control': 'no-store' };
    return new Response(answer.stream, { headers: streaming });
  }
  if (answer.kind === 'file') return fileResponse(answer, { headers, fault });
  if (answer.kind === 'nothing') return new Response(null, { status: 204, headers });
  if (answer.kind === 'refusal') return jsonResponse(answer.value, answer.status, { headers });
  if (answer.kind === 'problem') {
    const document = problemDocument(answer, httpRequestId);
    const { retryAfterSeconds } = answer;
    return jsonResponse(document, document.status, {
      headers: {
        ...headers,
        'content-type': 'application/problem+json',
        ...(retryAfterSeconds !== undefined && { 'retry-after': String(retryAfterSeconds) }),
      },
    });
  }
  const value = fault === undefined ? answer.value : spoiltValue(answer.value, fault);
  const caching = isOAuthRoute(route) ? { 'cache-control': 'no-store' } : {};
  return jsonResponse(value, route?.response.status ?? 200, {
    headers: { ...headers, ...caching, ...answer.headers },
    ...(fault?.kind === 'truncated' && { fault }),
  });
}

const isOAuthRoute = (route: PlatformRoute | undefined): boolean => route !== undefined && isOAuth(route);

function fileResponse(
  { bytes, mediaType }: PlatformAnswer & { readonly kind: 'file' },
  { headers, fault }: { readonly headers: Readonly<Record<string, string>>; readonly fault: PlatformFault | undefined },
): Response {
  const fields = { ...headers, 'content-type': mediaType, 'content-length': String(bytes.length) };
  const whole = Buffer.from(bytes);
  return new Response(fault?.kind === 'truncated' ? truncated(whole, fault.keptBytes) : whole, { headers: fields });
}

function jsonResponse(
  value: unknown,
  status: number,
  options: {
    readonly headers: Readonly<Record<string, string>>;
    readonly fault?: PlatformFault & { readonly kind: 'truncated' };
  },
): Response {
  const bytes = Buffer.from(JSON.stringify(value));
  const headers = {
    'content-type': 'application/json',
    'content-length': String(bytes.length),
    ...options.headers,
  };
  const { fault } = options;
  return new Response(fault === undefined ? bytes : truncated(bytes, fault.keptBytes), { status, headers });
}
