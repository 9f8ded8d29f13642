import { problemAnswer, readPlatformRequest, readWireBody } from '@hopback/sdk/platform';
import type { MatchedRoute, PlatformAnswer, WireSchema } from '@hopback/sdk/platform';
import { isHopbackError } from '@hopback/sdk/errors';
import type { Caller, Operations, PlatformContext, ServedRoute, StaffRole } from '../core/index.js';
import { isConnectionLost } from '../database/index.js';
import type { PlatformMetrics } from './platform-metrics.js';
import type { AccessTokens, IdempotencyStore } from './ports.js';
import { addressBucket } from './rate-limiter.js';
import type { RateLimiter } from './rate-limiter.js';
import { bodyLimit, readBoundedBody } from './request-body.js';

/** What calls are carried out with. */
export interface ExchangeParts {
  readonly context: Pick<PlatformContext, 'clock' | 'log'>;
  readonly operations: Operations;
  /** Roles that clients of staff need, by operation. */
  readonly roles: ReadonlyMap<string, StaffRole>;
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
  const byAddress = parts.perAddress.take(
    addressBucket(exchange.address),
    clock.nowMs(),
    isOpen ? TOKEN_REQUEST_COST : 1,
  );
  if (!byAddress.isAllowed) return tooMany(parts, 'address', byAddress.retryAfterSeconds);
  const access = isOpen ? { caller: NOBODY } : await decideAccess(parts, exchange);
  if ('problem' in access) return access.problem;
  const { caller } = access;
  exchange.onCaller?.(caller);
  const body = await readBoundedBody(request, {
    maxBytes: bodyLimit(route),
    clock,
    ...(parts.bodyTimeoutMs !== undefined && { timeoutMs: parts.bodyTimeoutMs }),
  });
  if (body.status === 'too-large') return isOpen ? badTokenRequest() : problemAnswer('too-large');
  if (body.status !== 'read')
    return problemAnswer('invalid-body', {
      errors: [{ pointer: '', code: body.status === 'late' ? 'too-slow' : 'broken-off' }],
    });
  return withBody(parts, { exchange, caller, bytes: body.bytes });
}

/** Of calls without a token: the token endpoint, which asks nobody who calls. */
const NOBODY: Caller = { clientId: '', organizationId: '', kind: 'app', scopes: [], name: '' };

/** The one place where is decided who may call what. What of it is theirs, operations know. */
async function decideAccess(
  { context, tokens, roles, perClient, ...rest }: ExchangeParts,
  { route, request, certificateSha256 }: Exchange,
): Promise<{ readonly caller: Caller } | { readonly problem: PlatformAnswer }> {
  const nowMs = context.clock.nowMs();
  const token = /^Bearer +([A-Za-z0-9\-._~+/]+=*)$/i.exec(request.headers.get('authorization') ?? '')?.[1];
  const caller =
    token === undefined || token.length > MAX_TOKEN_CHARS
      ? undefined
      : await tokens.callerOf(token, { nowMs, ...(certificateSha256 !== undefined && { certificateSha256 }) });
  if (caller === undefined) return { problem: problemAnswer('unauthenticated') };
  const rate = perClient.take(caller.clientId, nowMs);
  if (!rate.isAllowed) return { problem: tooMany(rest, 'client', rate.retryAfterSeconds) };
  if (!route.allowed.some((scope) => caller.scopes.includes(scope))) return { problem: problemAnswer('forbidden') };
  const role = roles.get(route.operationId);
  if (caller.kind === 'staff' && role !== undefined && caller.roles?.includes(role) !== true)
    return { problem: problemAnswer('forbidden', { detail: `This is for clients with the role ${role}.` }) };
  return { caller };
}

function tooMany({ metrics }: Pick<ExchangeParts, 'metrics'>, by: string, retryAfterSeconds: number): PlatformAnswer {
  metrics.count('hopback_http_rate_limited_total', { by });
  return problemAnswer('rate-limited', { retryAfterSeconds });
}

async function withBody(
  parts: ExchangeParts,
  { exchange, caller, bytes }: { readonly exchange: Exchange; readonly caller: Caller; readonly bytes: Uint8Array },
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
    ...{ route, caller, httpRequestId, signal, atMs },
    request: isLines ? { ...reading.request, bytes } : reading.request,
    ...(certificateSha256 !== undefined && { certificateSha256 }),
  };
  const key = reading.request.parameters['Idempotency-Key'];
  if (route.idempotency !== 'key' || key === undefined) return checked(parts, route, await operation(call));
  const { clientId, organizationId } = caller;
  const target = `${route.method} ${url.pathname}${url.search}`;
  return parts.idempotency.once(
    { clientId, organizationId, key, target, bytes: call.request.bytes, nowMs: atMs },
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
    ...{ operation: route.operationId, httpRequestId, why },
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
