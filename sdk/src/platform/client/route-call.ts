import { HopbackError } from '../../errors.js';
import type { PlatformRoute, RouteRequest } from '../contract/route.js';
import { readBoundedBody } from '../http/bounded-body.js';
import { jsonAndPdfBody } from './form-body.js';
import type { CallBody, PlatformCall } from './platform-call.js';
import { ACCEPT_JSON, jsonBody, MAX_RESPONSE_BYTES, readJsonValue, receivingNothing } from './read-json.js';

/** Most octets of a file that are held in memory; larger ones come in pieces, as those of productions do. */
export const MAX_ROUTE_FILE_BYTES: number = 64 * 1_048_576;

/** What goes with a call of a route. */
export interface RouteCallParams {
  /** Of path, query and header fields, by their names; `Idempotency-Key` is the client's. */
  readonly parameters?: Readonly<Record<string, string | number | undefined>>;
  /** What is sent as JSON. */
  readonly body?: unknown;
  /** The PDF, where the route has one. */
  readonly document?: Uint8Array;
}

/** What came back. */
export type RouteCallResult =
  /** Not held against a schema: whoever knows the route knows its bodies. */
  | { readonly kind: 'json'; readonly value: unknown }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'file'; readonly bytes: Uint8Array; readonly mediaType: string };

/**
 * A route as a call.
 * @throws {@link HopbackError} `invalid-argument` for a parameter that is missing, and for a route that is streamed or takes lines
 */
export function routeCall(
  route: PlatformRoute<string, string>,
  params: RouteCallParams,
): PlatformCall<RouteCallResult> {
  const { parameters = {} } = params;
  const path: Record<string, string> = {};
  const query: Record<string, string | number | undefined> = {};
  const headers: Record<string, string> = {};
  for (const { name, in: place, isRequired } of route.parameters) {
    const value = parameters[name];
    if (place === 'query') query[name] = value;
    else if (name === 'Idempotency-Key') continue;
    else if (value === undefined && isRequired)
      throw new HopbackError('invalid-argument', `${route.operationId} takes ${name}`);
    else if (value !== undefined && place === 'path') path[name] = String(value);
    else if (value !== undefined) headers[name.toLowerCase()] = String(value);
  }
  const body = bodyOf(route, params);
  return {
    method: route.method,
    route: route.path,
    ...{ path, query, headers },
    ...(body !== undefined && { body }),
    accept: route.response.kind === 'file' ? '*/*' : ACCEPT_JSON,
    receive: receiving(route),
  };
}

function bodyOf(
  { operationId, request }: PlatformRoute<string, string>,
  { body, document }: RouteCallParams,
): CallBody | undefined {
  if (request === undefined) return undefined;
  if (body === undefined) throw new HopbackError('invalid-argument', `${operationId} takes a body`);
  if (request.kind === 'json') return jsonBody(body);
  if (request.kind === 'json-and-pdf') return partsOf(request, operationId, { body, document });
  throw new HopbackError('invalid-argument', `${operationId} is called in another way than by its route`);
}

function partsOf(
  { jsonPart, pdfPart }: Extract<RouteRequest<string>, { readonly kind: 'json-and-pdf' }>,
  operationId: string,
  { body, document }: { readonly body: unknown; readonly document: Uint8Array | undefined },
): CallBody {
  if (document === undefined) throw new HopbackError('invalid-argument', `${operationId} takes a PDF`);
  return jsonAndPdfBody({ jsonPart, json: body, pdfPart, document });
}

function receiving({ operationId, response }: PlatformRoute<string, string>): PlatformCall<RouteCallResult>['receive'] {
  if (response.kind === 'event-stream')
    throw new HopbackError('invalid-argument', `${operationId} is a stream of events: it is read by events()`);
  return RECEIVERS[response.kind];
}

const RECEIVERS: Readonly<Record<'json' | 'nothing' | 'file', PlatformCall<RouteCallResult>['receive']>> = {
  json: async (received) => {
    const { bytes, isCut } = await readBoundedBody(received, MAX_RESPONSE_BYTES);
    if (isCut) return { status: 'unreadable', reason: 'too-large' };
    const reading = readJsonValue(bytes);
    return reading.status === 'read' ? { status: 'read', value: { kind: 'json', value: reading.value } } : reading;
  },
  nothing: async (received, deadline) => {
    await receivingNothing(received, deadline);
    return { status: 'read', value: { kind: 'nothing' } };
  },
  file: async (received) => {
    const { bytes, isCut } = await readBoundedBody(received, MAX_ROUTE_FILE_BYTES);
    if (isCut) return { status: 'unreadable', reason: 'too-large' };
    const mediaType = received.headers.get('content-type') ?? 'application/octet-stream';
    return { status: 'read', value: { kind: 'file', bytes, mediaType } };
  },
};
