import { isHopbackError } from '@hopback/sdk/errors';
import {
  MAX_BATCH_BYTES,
  PROBLEM_KINDS,
  problemAnswer,
  problemDocument,
  readPlatformRequest,
  readWireBody,
} from '@hopback/sdk/internal';
import type { MatchedRoute, PlatformAnswer, WireSchema } from '@hopback/sdk/internal';
import type { TimerClock } from '@hopback/sdk/platform';
import type { Caller, Operations, PlatformContext, ServedRoute } from '../core/index.js';
import { isConnectionLost } from '../database/index.js';
import type { PlatformMetrics } from './platform-metrics.js';

/** Knows whose tokens are. Carried out by the area `trust`. */
interface AccessTokens {
  /** Who calls with a token; undefined where nobody may with it. Never rejects for peer input. */
  readonly callerOf: (
    token: string,
    options: { readonly nowMs: number; readonly certificateSha256?: string },
  ) => Promise<Caller | undefined>;
}

/** A call under a key. */
export interface KeyedCall {
  readonly clientId: string;
  readonly organizationId: string;
  readonly key: string;
  /** Method and path, and what the query says. */
  readonly target: string;
  readonly bytes: Uint8Array;
  readonly nowMs: number;
}

/**
 * Carries each call out once: the same one again gets the stored answer, another one under its key `idempotency-key-reused`, and one that
 * comes while the first is carried out `idempotency-in-progress`. What failed on the platform's side is not stored.
 * @see draft-ietf-httpapi-idempotency-key-header-07 section 2
 */
export interface IdempotencyStore {
  readonly once: (call: KeyedCall, carryOut: () => Promise<PlatformAnswer>) => Promise<PlatformAnswer>;
}

/** How much one may do. */
export interface Rate {
  /** Calls a second in the long run, more than 0. */
  readonly perSecond: number;
  /** Calls at once after a pause, 1 or more. */
  readonly burst: number;
}

/** Limits how often each of many may do something. */
type RateLimiter = ReturnType<typeof createRateLimiter>;

/**
 * Buckets that are kept: some hundred octets each. Whoever comes with more names than that, addresses of IPv6 say, has the buckets of those
 * who came longest ago thrown away, which are full again by then at the usual rates.
 */
export const MAX_RATE_BUCKETS = 50_000;

/**
 * Makes a limiter of token buckets. Pure but for what it remembers; time is an argument, and one that goes back gives nothing.
 * @param rate - of each name
 */
export function createRateLimiter(rate: Rate, maxBuckets: number = MAX_RATE_BUCKETS) {
  const buckets = new Map<string, { readonly level: number; readonly atMs: number }>();
  return {
    /** Takes from somebody's bucket. @returns when it may be done, seconds from now; 0 where it may now */
    take: (name: string, nowMs: number, cost: number = 1): number => {
      const before = buckets.get(name) ?? { level: rate.burst, atMs: nowMs };
      const passedMs = Math.max(0, nowMs - before.atMs);
      const level = Math.min(rate.burst, before.level + (passedMs * rate.perSecond) / 1_000);
      // What costs more than a whole bucket may be done with a full one.
      const needed = Math.min(cost, rate.burst);
      const isAllowed = level >= needed;
      // Last in the map is last used: the first is thrown away.
      buckets.delete(name);
      buckets.set(name, { level: isAllowed ? level - needed : level, atMs: Math.max(nowMs, before.atMs) });
      if (buckets.size > maxBuckets) {
        const [oldest] = buckets.keys();
        if (oldest !== undefined) buckets.delete(oldest);
      }
      return isAllowed ? 0 : Math.max(1, Math.ceil((needed - level) / rate.perSecond));
    },
    /** Buckets that are kept. */
    size: () => buckets.size,
  };
}

/** The name under which an address counts: a network of 64 bits of IPv6 belongs to one customer. RFC 6177 section 2 */
export function addressBucket(address: string): string {
  const [, mapped] = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i.exec(address) ?? [];
  if (mapped !== undefined) return mapped;
  if (!address.includes(':')) return address;
  const [plain = ''] = address.split('%');
  const [head = '', tail] = plain.split('::');
  const front = head === '' ? [] : head.split(':');
  const back = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - front.length - back.length);
  const groups = [...front, ...Array.from({ length: zeros }, () => '0'), ...back];
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}

/** Octets of a JSON body: the longest transcript in the widest escapes, and room. */
export const MAX_JSON_BYTES = 1_048_576;
/** Octets of a form: an assertion at its longest, and room. */
export const MAX_FORM_BYTES = 32_768;
/** Octets of a PDF of 20 MiB with its JSON part. */
export const MAX_DOCUMENT_BYTES: number = 21 * 1_048_576;
/**
 * Octets of lines as they come, compressed. What they unpack to is bounded by whoever reads the records; what does not compress at all is a
 * few octets longer than before.
 */
export const MAX_LINES_BYTES: number = MAX_BATCH_BYTES + 65_536;
/** How long a body may take, milliseconds: 20 MiB over a line of 3 Mbit/s. Whoever sends an octet a second is cut off. */
export const BODY_TIMEOUT_MS = 60_000;

const LIMITS: Readonly<Record<NonNullable<ServedRoute['request']>['kind'], number>> = {
  json: MAX_JSON_BYTES,
  form: MAX_FORM_BYTES,
  lines: MAX_LINES_BYTES,
  'json-and-pdf': MAX_DOCUMENT_BYTES,
};

/** Octets of a body that a route reads. Of one that has none, as much as says that one was sent. */
const bodyLimit = ({ request }: ServedRoute): number => (request === undefined ? 1_024 : LIMITS[request.kind]);

/** Reads a body up to a limit. Never rejects. @returns its octets, or why there are none: `broken` where it broke off, `late` where it took too long */
async function readBoundedBody(
  request: Request,
  maxBytes: number,
  clock: TimerClock,
  timeoutMs: number = BODY_TIMEOUT_MS,
): Promise<Uint8Array | 'too-large' | 'broken' | 'late'> {
  const stated = Number(request.headers.get('content-length') ?? 0);
  if (stated > maxBytes) return 'too-large';
  if (request.body === null) return new Uint8Array();
  const reader = request.body.getReader();
  let isLate = false;
  const cancelTimer = clock.schedule(() => {
    isLate = true;
    void reader.cancel().catch(() => undefined);
  }, timeoutMs);
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  try {
    for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
      sizeBytes += chunk.value.length;
      if (sizeBytes > maxBytes) {
        void reader.cancel().catch(() => undefined);
        return 'too-large';
      }
      chunks.push(chunk.value);
    }
  } catch {
    return isLate ? 'late' : 'broken';
  } finally {
    cancelTimer();
  }
  return isLate ? 'late' : Buffer.concat(chunks);
}

/** Fields of every answer: nothing of it is kept by caches, shown in pages of others or read as what it is not. */
export const SECURITY_FIELDS: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
};

/** Writes an answer as HTTP. @see RFC 9457 section 3, RFC 6750 section 3 */
export function writeAnswer(answer: PlatformAnswer, httpRequestId: string, route?: ServedRoute): Response {
  const common = { ...SECURITY_FIELDS, 'request-id': httpRequestId };
  switch (answer.kind) {
    case 'problem': {
      const { status } = PROBLEM_KINDS[answer.code];
      const waiting = answer.retryAfterSeconds;
      return jsonResponse(problemDocument(answer, httpRequestId), status, {
        ...common,
        'content-type': 'application/problem+json',
        ...(waiting !== undefined && { 'retry-after': String(waiting) }),
        ...(answer.code === 'unauthenticated' && {
          'www-authenticate': 'Bearer realm="platform", error="invalid_token"',
        }),
        ...(answer.code === 'forbidden' && {
          'www-authenticate': 'Bearer realm="platform", error="insufficient_scope"',
        }),
      });
    }
    case 'refusal':
      // RFC 6749 section 5.2
      return jsonResponse(answer.value, answer.status, { ...common, pragma: 'no-cache' });
    case 'json':
      return jsonResponse(answer.value, route?.response.status ?? 200, { ...common, ...answer.headers });
    case 'nothing':
      return new Response(null, { status: 204, headers: common });
    case 'file':
      return new Response(answer.bytes as Uint8Array<ArrayBuffer>, {
        status: 200,
        headers: {
          ...common,
          'content-type': answer.mediaType,
          'content-length': String(answer.bytes.length),
          // A production is saved and looked at as what it is, and not shown by whatever opens it.
          'content-disposition': 'attachment',
        },
      });
    case 'event-stream':
      return new Response(answer.stream, {
        status: 200,
        // Of proxies that would gather events before they pass them on.
        headers: { ...common, 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' },
      });
    default:
      return answer satisfies never;
  }
}

/** JSON with its length. */
export function jsonResponse(value: unknown, status: number, headers: Readonly<Record<string, string>>): Response {
  const bytes = Buffer.from(JSON.stringify(value));
  return new Response(bytes, {
    status,
    headers: { 'content-type': 'application/json', 'content-length': String(bytes.length), ...headers },
  });
}

/** RFC 9110 section 15.5.6: the contract has no code of its own for what no client of it does. */
export function methodNotAllowed(httpRequestId: string, allow: string): Response {
  const value = {
    type: 'about:blank',
    title: 'Method Not Allowed',
    status: 405,
    code: 'not-found',
    httpRequestId,
  };
  return jsonResponse(value, 405, {
    ...SECURITY_FIELDS,
    'content-type': 'application/problem+json',
    'request-id': httpRequestId,
    allow,
  });
}

/** What calls are carried out with. */
export interface ExchangeParts {
  readonly context: Pick<PlatformContext, 'clock' | 'log'>;
  readonly operations: Operations;
  readonly schemas: Readonly<Record<string, WireSchema<unknown>>>;
  readonly tokens: AccessTokens;
  readonly idempotency: IdempotencyStore;
  readonly perClient: RateLimiter;
  readonly perAddress: RateLimiter;
  readonly metrics: PlatformMetrics;
  /** Whether what operations answer is held against its schema: in tests; it costs as much as reading it. */
  readonly checkAnswers: boolean;
  readonly bodyTimeoutMs?: number;
}

/** A request that has a route. */
export interface Exchange extends MatchedRoute<ServedRoute> {
  readonly request: Request;
  readonly url: URL;
  readonly httpRequestId: string;
  /** Whom it comes from, as far as is known. */
  readonly address: string;
  readonly certificateSha256?: string;
  readonly signal: AbortSignal;
  /** Is told who calls, before the call is carried out. */
  readonly onCaller?: (caller: Caller) => void;
}

/**
 * What asking for a token costs, in calls: a signature of an RSA key is verified, and two rows are written, before anybody is known.
 */
const TOKEN_REQUEST_COST = 5;
/** Longest token that is looked up. */
const MAX_TOKEN_CHARS = 512;

/**
 * Carries a request out: rate, token, access, body, operation, in this order, so that nothing is read of whom nothing is owed. Never rejects.
 * @returns the answer
 */
export async function carryOut(parts: ExchangeParts, exchange: Exchange): Promise<PlatformAnswer> {
  try {
    return await answerTo(parts, exchange);
  } catch (error) {
    return failed(parts, exchange, error);
  }
}

async function answerTo(parts: ExchangeParts, exchange: Exchange): Promise<PlatformAnswer> {
  const { route, request } = exchange;
  const { clock } = parts.context;
  const isOpen = route.allowed.length === 0;
  const cost = isOpen ? TOKEN_REQUEST_COST : 1;
  const refusal = tooOften(parts, exchange.address, cost);
  if (refusal !== undefined) return refusal;
  const access = isOpen ? { caller: NOBODY } : await decideAccess(parts, exchange);
  if ('problem' in access) return access.problem;
  const { caller } = access;
  exchange.onCaller?.(caller);
  const bytes = await readBoundedBody(request, bodyLimit(route), clock, parts.bodyTimeoutMs);
  if (bytes === 'too-large') return isOpen ? badTokenRequest() : problemAnswer('too-large');
  if (typeof bytes === 'string')
    return problemAnswer('invalid-body', {
      errors: [{ pointer: '', code: bytes === 'late' ? 'too-slow' : 'broken-off' }],
    });
  return withBody(parts, exchange, caller, bytes);
}

/** Of calls without a token: the token endpoint, which asks nobody who calls. */
const NOBODY: Caller = {
  clientId: '',
  organizationId: '',
  kind: 'app',
  scopes: [],
  name: '',
};

/** The one place where is decided who may call what. What of it is theirs, operations know. */
async function decideAccess(
  { context, tokens, perClient, ...rest }: ExchangeParts,
  { route, request, certificateSha256 }: Exchange,
): Promise<{ readonly caller: Caller } | { readonly problem: PlatformAnswer }> {
  const nowMs = context.clock.nowMs();
  const token = /^Bearer +([A-Za-z0-9\-._~+/]+=*)$/i.exec(request.headers.get('authorization') ?? '')?.[1];
  const caller =
    token === undefined || token.length > MAX_TOKEN_CHARS
      ? undefined
      : await tokens.callerOf(token, { nowMs, ...(certificateSha256 !== undefined && { certificateSha256 }) });
  if (caller === undefined) return { problem: problemAnswer('unauthenticated') };
  const waitSeconds = perClient.take(caller.clientId, nowMs);
  if (waitSeconds > 0) return { problem: tooMany(rest, 'client', waitSeconds) };
  if (!route.allowed.some((scope) => caller.scopes.includes(scope))) return { problem: problemAnswer('forbidden') };
  const { role } = route;
  if (caller.kind === 'staff' && role !== undefined && caller.roles?.includes(role) !== true)
    return { problem: problemAnswer('forbidden', { detail: `This is for clients with the role ${role}.` }) };
  return { caller };
}

/** @param cost - in ordinary requests. @returns what an address is answered that asks too often */
export function tooOften(
  parts: Pick<ExchangeParts, 'context' | 'metrics' | 'perAddress'>,
  address: string,
  cost: number,
): PlatformAnswer | undefined {
  const waitSeconds = parts.perAddress.take(addressBucket(address), parts.context.clock.nowMs(), cost);
  return waitSeconds > 0 ? tooMany(parts, 'address', waitSeconds) : undefined;
}

function tooMany({ metrics }: Pick<ExchangeParts, 'metrics'>, by: string, retryAfterSeconds: number): PlatformAnswer {
  metrics.count('hopback_http_rate_limited_total', { by });
  return problemAnswer('rate-limited', { retryAfterSeconds });
}

async function withBody(
  parts: ExchangeParts,
  exchange: Exchange,
  caller: Caller,
  bytes: Uint8Array,
): Promise<PlatformAnswer> {
  const { route, path, url, request, httpRequestId, signal, certificateSha256 } = exchange;
  const isOpen = route.allowed.length === 0;
  // Of lines the operation unpacks what came; of everything else nobody sends it compressed.
  const coding = request.headers.get('content-encoding') ?? 'identity';
  const isLines = route.request?.kind === 'lines';
  if (!isLines && coding !== 'identity') return problemAnswer('unsupported-media-type');
  const whole = new Request(url, {
    method: request.method === 'HEAD' ? 'GET' : request.method,
    headers: request.headers,
    // Of lines nothing is read here but the header fields: their octets are handed on as they are.
    ...(bytes.length > 0 && route.method !== 'GET' && !isLines && { body: bytes as Uint8Array<ArrayBuffer> }),
  });
  const reading = await readPlatformRequest(whole, { route, path, url, schemas: parts.schemas });
  if (reading.status === 'refused')
    return isOpen ? badTokenRequest() : problemAnswer(reading.code, { errors: reading.errors });
  if (holdsNul(bytes, reading.request.body))
    return problemAnswer('invalid-body', { errors: [{ pointer: '', code: 'null-character' }] });
  const operation = parts.operations[route.operationId];
  if (operation === undefined) return problemAnswer('unavailable', { detail: 'This platform does not do that.' });
  const atMs = parts.context.clock.nowMs();
  const call = {
    route,
    caller,
    httpRequestId,
    signal,
    atMs,
    request: isLines ? { ...reading.request, bytes } : reading.request,
    ...(certificateSha256 !== undefined && { certificateSha256 }),
  };
  const key = reading.request.parameters['Idempotency-Key'];
  if (route.idempotency !== 'key' || key === undefined) return checked(parts, route, await operation(call));
  const { clientId, organizationId } = caller;
  const target = `${route.method} ${url.pathname}${url.search}`;
  return parts.idempotency.once(
    {
      clientId,
      organizationId,
      key,
      target,
      bytes: call.request.bytes,
      nowMs: atMs,
    },
    async () => checked(parts, route, await operation(call)),
  );
}

/** Levels of a body that are looked at: none of the contract has as many. */
const MAX_LEVELS = 32;

/** A text with U+0000 is none to PostgreSQL: it is refused before an operation tries to store it. */
function holdsNul(bytes: Uint8Array, body: unknown): boolean {
  if (body === undefined || !Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes(String.raw`\u0000`))
    return false;
  const isIn = (value: unknown, level: number): boolean => {
    if (typeof value === 'string') return value.includes('\u0000');
    if (typeof value !== 'object' || value === null) return false;
    if (level > MAX_LEVELS) return true;
    return Object.entries(value).some(([name, member]) => name.includes('\u0000') || isIn(member, level + 1));
  };
  return isIn(body, 0);
}

/** RFC 6749 section 5.2 */
const badTokenRequest = (): PlatformAnswer => ({ kind: 'refusal', status: 400, value: { error: 'invalid_request' } });

function checked(
  { schemas, checkAnswers, metrics }: ExchangeParts,
  route: ServedRoute,
  answer: PlatformAnswer,
): PlatformAnswer {
  if (!checkAnswers) return answer;
  const body = bodyOf(route, answer);
  if (body === undefined) return answer;
  const schema = schemas[body.name];
  const { errors, surplus } =
    schema === undefined
      ? { errors: [{ pointer: '', code: 'no-schema' }], surplus: [] }
      : readWireBody(schema, body.value);
  const [fault] = [...errors, ...surplus];
  if (fault === undefined) return answer;
  metrics.count('hopback_http_answer_faults_total', { operation: route.operationId });
  throw new AnswerFault(`${route.operationId}: ${body.name} is not in its form at "${fault.pointer}" (${fault.code})`);
}

class AnswerFault extends Error {}

function bodyOf(
  { response, refusals }: ServedRoute,
  answer: PlatformAnswer,
): { readonly name: string; readonly value: unknown } | undefined {
  if (answer.kind === 'json') return { name: response.kind === 'json' ? response.body : '', value: answer.value };
  if (answer.kind !== 'refusal') return undefined;
  return { name: refusals?.find(({ status }) => status === answer.status)?.body ?? '', value: answer.value };
}

/** Trouble of ours. What may pass is said to pass; what it was stands in the log, without what was sent. */
function failed({ context }: ExchangeParts, { route, httpRequestId }: Exchange, error: unknown): PlatformAnswer {
  // A server of the database that restarts is back in seconds: whoever calls meanwhile is told to come again.
  const isPassing = isConnectionLost(error) || (isHopbackError(error) && error.retryable);
  const why =
    error instanceof AnswerFault || isHopbackError(error)
      ? error.message
      : error instanceof Error
        ? error.name
        : typeof error;
  context.log[isPassing ? 'warn' : 'error']('a call failed', {
    operation: route.operationId,
    httpRequestId,
    why,
    ...(isHopbackError(error) && { code: error.code }),
    // Where, not what: messages of a database repeat values.
    ...(error instanceof Error && {
      at: error.stack
        ?.split('\n')
        .filter((line) => line.startsWith('    at '))
        .slice(0, 5),
    }),
  });
  return isPassing ? problemAnswer('unavailable', { retryAfterSeconds: 1 }) : problemAnswer('internal');
}
