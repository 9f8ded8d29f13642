import { createRouteMatcher, problemAnswer } from '@hopback/sdk/platform';
import type { MatchedRoute, PlatformAnswer } from '@hopback/sdk/platform';
import { Hono } from 'hono';
import type { Caller, PlatformNotice, ServedRoute } from '../core/index.js';
import { carryOut } from './exchange.js';
import type { ExchangeParts } from './exchange.js';
import { methodNotAllowed, SECURITY_FIELDS, writeAnswer } from './write-answer.js';

/** What the application is made of. */
export interface PlatformAppParts extends ExchangeParts {
  readonly routes: readonly ServedRoute[];
  readonly newId: (kind: string) => string;
  /** Path of the address that the platform is known by, without a slash at its end. */
  readonly basePath: string;
  /** Whether the platform can do its work: its database answers. */
  readonly isReady: () => Promise<boolean>;
  /** What operators have to know though the platform works. */
  readonly notices: () => readonly PlatformNotice[];
}

/** What the server knows of a connection. */
export interface ConnectionFacts {
  readonly address: string;
  /** Whether whoever asks is on this very machine: counts are for operators. */
  readonly isLocal: boolean;
  readonly certificateSha256?: string;
  readonly isSecure: boolean;
  /** Ends with the connection. */
  readonly signal: AbortSignal;
}

/** Answers requests. */
export type PlatformApp = (request: Request, connection: ConnectionFacts) => Promise<Response>;

/** What operators have to act on, in each answer to staff. */
const WARNING_FIELD = 'platform-warning';
const METHODS = ['GET', 'POST', 'DELETE'] as const;
/** RFC 6797: a year, as browsers want it; whoever calls the platform is none, mostly. */
const HSTS = 'max-age=31536000';

/** Makes the application: routes of the contract and of areas, and what operators look at. */
export function createPlatformApp(parts: PlatformAppParts): PlatformApp {
  const app = new Hono<{ Bindings: ConnectionFacts }>({ strict: true });
  const match = createRouteMatcher(parts.routes);
  const open = { requests: 0 };
  parts.metrics.gauge('hopback_http_requests_open', () => open.requests);
  parts.metrics.gauge('hopback_rate_buckets', () => parts.perAddress.size() + parts.perClient.size());

  app.on(['GET', 'HEAD'], '/livez', (context) => context.text('alive\n', 200, { ...SECURITY_FIELDS }));
  app.on(['GET', 'HEAD'], '/readyz', async (context) =>
    (await parts.isReady())
      ? context.text(['ready', ...parts.notices().map(({ text }) => text), ''].join('\n'), 200, { ...SECURITY_FIELDS })
      : context.text('not ready\n', 503, { ...SECURITY_FIELDS }),
  );
  app.on(['GET', 'HEAD'], '/metrics', (context) =>
    context.env.isLocal
      ? context.text(parts.metrics.text(), 200, { ...SECURITY_FIELDS, 'content-type': 'text/plain; version=0.0.4' })
      : writeAnswer({ answer: problemAnswer('not-found'), httpRequestId: parts.newId('req') }),
  );
  app.all('*', (context) => respond(parts, match, { request: context.req.raw, connection: context.env }));
  app.onError(() => writeAnswer({ answer: problemAnswer('internal'), httpRequestId: parts.newId('req') }));

  return async (request, connection) => {
    open.requests += 1;
    try {
      const response = await app.fetch(request, connection);
      if (connection.isSecure) response.headers.set('strict-transport-security', HSTS);
      return response;
    } finally {
      open.requests -= 1;
    }
  };
}

type Match = (method: string, pathname: string) => MatchedRoute<ServedRoute> | undefined;

async function respond(
  parts: PlatformAppParts,
  match: Match,
  { request, connection }: { readonly request: Request; readonly connection: ConnectionFacts },
): Promise<Response> {
  const httpRequestId = parts.newId('req');
  const startedMs = parts.context.clock.nowMs();
  const url = new URL(request.url);
  const pathname = belowBase(url.pathname, parts.basePath);
  const matched = match(request.method === 'HEAD' ? 'GET' : request.method, pathname);
  if (matched === undefined) return unmatched(parts, match, { request, pathname, httpRequestId });
  const { route } = matched;
  let isStaff = false;
  const onCaller = ({ kind }: Caller): void => void (isStaff = kind === 'staff');
  const answer = await carryOut(parts, { ...matched, ...connection, request, url, httpRequestId, onCaller });
  const response = written(parts, { answer, httpRequestId, route });
  for (const { text, isWarning } of isStaff ? parts.notices() : [])
    if (isWarning) response.headers.append(WARNING_FIELD, text);
  const labels = { operation: route.operationId };
  parts.metrics.count('hopback_http_requests_total', { ...labels, status: String(response.status) });
  parts.metrics.observe('hopback_http_request_seconds', (parts.context.clock.nowMs() - startedMs) / 1_000, labels);
  return request.method === 'HEAD' ? withoutBody(response) : response;
}

function written(
  parts: PlatformAppParts,
  {
    answer,
    httpRequestId,
    route,
  }: { readonly answer: PlatformAnswer; readonly httpRequestId: string; readonly route: ServedRoute },
): Response {
  try {
    return writeAnswer({ answer, httpRequestId, route });
  } catch {
    // A header field or value that cannot be written: of ours, since what peers sent is in neither.
    parts.context.log.error('an answer could not be written', { operation: route.operationId, httpRequestId });
    return writeAnswer({ answer: problemAnswer('internal'), httpRequestId });
  }
}

/** RFC 9110 sections 9.3.7 and 15.5.6 */
function unmatched(
  parts: PlatformAppParts,
  match: Match,
  {
    request,
    pathname,
    httpRequestId,
  }: { readonly request: Request; readonly pathname: string; readonly httpRequestId: string },
): Response {
  const there = METHODS.filter((method) => match(method, pathname) !== undefined);
  if (there.length === 0) {
    parts.metrics.count('hopback_http_requests_total', { operation: 'none', status: '404' });
    return writeAnswer({ answer: problemAnswer('not-found'), httpRequestId });
  }
  const allow = [...there, ...(there.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].join(', ');
  if (request.method === 'OPTIONS')
    return new Response(null, { status: 204, headers: { ...SECURITY_FIELDS, 'request-id': httpRequestId, allow } });
  return methodNotAllowed(httpRequestId, allow);
}

const belowBase = (pathname: string, basePath: string): string =>
  basePath !== '' && pathname.startsWith(`${basePath}/`) ? pathname.slice(basePath.length) : pathname;

function withoutBody(response: Response): Response {
  void response.body?.cancel().catch(() => undefined);
  return new Response(null, { status: response.status, headers: response.headers });
}
