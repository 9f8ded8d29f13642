import { createHash } from 'node:crypto';
import { HopbackError } from '../../errors.js';
import type { WireSchema } from '../../contract/bodies.js';
import { pageOf } from '../../contract/common.js';
import type { Page } from '../../contract/common.js';
import { MAX_DEMAND_DOCUMENT_BYTES } from '../../contract/demand.js';
import type { DemandSubmission, Production } from '../../contract/demand.js';
import type { PlatformRoute } from '../../contract/route.js';
import { PLATFORM_ROUTES } from '../../contract/routes.js';
import { bodyChunks, readBoundedBody } from '../http/bounded-body.js';
import type { PlatformCall, PlatformRequestOptions, Requester } from './requester.js';
import { itemsOfPages, MAX_RESPONSE_BYTES, readPageLeniently, receivingJson, routeCall } from './route-call.js';
import type { ItemSchema, LenientPage, RouteCallResult } from './route-call.js';

/** A call of the platform. Rejects with {@link HopbackError}. */
export type PlatformOperation<Params, Result> = (params: Params, options?: PlatformRequestOptions) => Promise<Result>;

/** A list of the platform. `Filter` is what of it is asked for. */
export interface PagedList<Item, Filter = unknown> {
  /**
   * One page. `cursor` is `nextCursor` of the page before, `limit` the items of a page at most: 1 to 500, default 50. Rejects with
   * {@link HopbackError}.
   */
  readonly list: (
    params?: Filter & { readonly cursor?: string; readonly limit?: number },
    options?: PlatformRequestOptions,
  ) => Promise<Page<Item>>;
  /**
   * All items from `cursor` on, page by page. Rejects with {@link HopbackError}; with `response-unreadable` where the pages go round in a
   * circle, or an item is in no form of the contract. `onUnreadable` is told of such items, be it their schema, JSON or UTF-8, which are left
   * out then: where in the page, and what is wrong.
   */
  readonly iterate: (
    params?: Filter & { readonly cursor?: string; readonly limit?: number },
    options?: PlatformRequestOptions & { readonly onUnreadable?: (place: string) => void },
  ) => AsyncGenerator<Item, void, undefined>;
}

const ROUTES: ReadonlyMap<string, PlatformRoute> = new Map(PLATFORM_ROUTES.map((route) => [route.operationId, route]));

/** A call of the contract. Members of `params` that are no parameters of the route are its body. */
export function operationCall<Result>(
  operationId: string,
  schema: WireSchema<Result>,
  params: object,
): PlatformCall<Result> {
  return { ...plainCall(operationId, params), receive: receivingJson(schema) };
}

/** The same, its answer not held against a schema. */
export function plainCall(operationId: string, params: object): PlatformCall<RouteCallResult> {
  const { route, ...divided } = dividedParams(operationId, params);
  return routeCall(route, divided);
}

function dividedParams(operationId: string, params: object) {
  const route = ROUTES.get(operationId);
  if (route === undefined) throw new HopbackError('internal', `the contract has no operation ${operationId}`);
  const names = new Set(route.parameters.map(({ name }) => name));
  const parameters: Record<string, string | number | undefined> = {};
  const body: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(params) as [string, unknown][]) {
    if (names.has(name)) parameters[name] = value as string | number | undefined;
    else body[name] = value;
  }
  return { route, parameters, body };
}

/** Makes the list of an operation. */
export function pagedList<Item, Filter>(
  requester: Requester,
  operationId: string,
  item: ItemSchema<Item>,
): PagedList<Item, Filter> {
  const strict = receivingJson(pageOf(item));
  const lenient =
    (onUnreadable: (place: string) => void): PlatformCall<LenientPage<Item>>['receive'] =>
    async (response) => {
      const body = await readBoundedBody(response, MAX_RESPONSE_BYTES);
      if (body.isCut) return { status: 'unreadable', reason: 'too-large' };
      return readPageLeniently(body.bytes, item, onUnreadable);
    };
  const fetchPage = async <Result extends Page<Item>>(
    params: object,
    options: PlatformRequestOptions | undefined,
    receive: PlatformCall<Result>['receive'],
  ): Promise<Result> => {
    return requester.send({ ...plainCall(operationId, params), receive }, options);
  };
  return {
    list: (params, options) => fetchPage({ ...params }, options, strict),
    iterate: (params, options) => {
      const receive = options?.onUnreadable === undefined ? strict : lenient(options.onUnreadable);
      return itemsOfPages((cursor) =>
        fetchPage<LenientPage<Item>>({ ...params, ...(cursor !== undefined && { cursor }) }, options, receive),
      );
    },
  };
}

type ProductionFile = Pick<Production['files'][number], 'name' | 'sizeBytes' | 'sha256'>;

/** Milliseconds without an octet of a file of a production after which the connection is taken for dead. */
const FILE_SILENCE_MS = 30_000;

/** A call that submits a demand. */
export function demandCall<Result>(
  { document, ...submission }: Omit<DemandSubmission, 'documentSha256'> & { readonly document: Uint8Array },
  schema: WireSchema<Result>,
): PlatformCall<Result> {
  if (document.length === 0 || document.length > MAX_DEMAND_DOCUMENT_BYTES)
    throw new HopbackError('invalid-argument', `document must have 1 to ${MAX_DEMAND_DOCUMENT_BYTES} octets`);
  const documentSha256 = createHash('sha256').update(document).digest('hex');
  const { route, body } = dividedParams('submitDemand', { ...submission, documentSha256 });
  return { ...routeCall(route, { body, document }), receive: receivingJson(schema) };
}

/** The octets of a file of a production, which are held against what the production states at their end. */
export async function* fileChunks(
  requester: Requester,
  { productionId, file: { name, sizeBytes, sha256 } }: { productionId: string; file: ProductionFile },
  options: PlatformRequestOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const call: PlatformCall<ReadableStream<Uint8Array> | null> = {
    method: 'GET',
    route: '/v1/productions/{productionId}/files/{name}',
    path: { productionId, name },
    accept: '*/*',
    receive: async (response) => ({ status: 'read', value: response.body }),
  };
  const body = await requester.send(call, options);
  const hash = createHash('sha256');
  let size = 0;
  const { signal } = options;
  for await (const chunk of body === null
    ? []
    : bodyChunks(body, { silenceMs: FILE_SILENCE_MS, schedule: requester.parts.clock.schedule, signal })) {
    size += chunk.length;
    if (size > sizeBytes) throw otherFile('too-large');
    hash.update(chunk);
    yield chunk;
  }
  if (signal?.aborted === true)
    throw new HopbackError('aborted', 'the file was given up by its caller', { cause: signal.reason });
  if (size !== sizeBytes || hash.digest('hex') !== sha256) throw otherFile('wrong-hash');
}

const otherFile = (reason: string): HopbackError =>
  new HopbackError('response-unreadable', 'the file is not the one that the production lists', { details: { reason } });
