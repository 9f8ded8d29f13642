import { createHash } from 'node:crypto';
import { HopbackError } from '../../../errors.js';
import { bodyChunks } from '../../http/body-chunks.js';
import type { Demand, DemandDecisionRequest, DemandState, DemandSubmission } from '../../wire/demand.js';
import { demandSchema } from '../../wire/demand.schema.js';
import type { Production, ProductionFile } from '../../wire/production.js';
import { productionSchema } from '../../wire/production.schema.js';
import { jsonAndPdfBody } from '../form-body.js';
import type { CallBody, PlatformCall } from '../platform-call.js';
import { ACCEPT_JSON, receivingJson } from '../read-json.js';
import type { PlatformRequestOptions } from '../request-options.js';
import type { Requester } from '../requester.js';
import { fetching, posting } from './json-calls.js';
import { pagedList } from './paged-list.js';
import type { PagedList, PageParams } from './paged-list.js';

/** Octets of the PDF of a demand at most. */
export const MAX_DEMAND_DOCUMENT_BYTES: number = 20 * 1_048_576;

/** Milliseconds without an octet of a file of a production after which the connection is taken for dead. */
const FILE_SILENCE_MS = 30_000;

/** Which demands. */
export interface DemandListParams extends PageParams {
  readonly state?: DemandState;
}

/** A demand, and the PDF that it is in. Its hash is stated by the client. */
export type DemandParams = Omit<DemandSubmission, 'documentSha256'> & {
  /** The PDF, at most {@link MAX_DEMAND_DOCUMENT_BYTES} octets. */
  readonly document: Uint8Array;
};

/** Subpoenas, civil investigative demands and court orders. Everything rejects with {@link HopbackError}. */
export interface DemandCalls extends PagedList<Demand, DemandListParams> {
  /** Submits a demand for review. */
  readonly create: (params: DemandParams, options?: PlatformRequestOptions) => Promise<Demand>;
  readonly retrieve: (params: { readonly demandId: string }, options?: PlatformRequestOptions) => Promise<Demand>;
  /** Approves, narrows or rejects a demand. */
  readonly decide: (
    params: { readonly demandId: string } & DemandDecisionRequest,
    options?: PlatformRequestOptions,
  ) => Promise<Demand>;
}

/** One file of a production, as the production lists it. */
export interface ProductionFileParams {
  readonly productionId: string;
  readonly file: Pick<ProductionFile, 'name' | 'sizeBytes' | 'sha256'>;
}

/** What is handed over under a reviewed demand. Everything rejects with {@link HopbackError}. */
export interface ProductionCalls {
  readonly retrieve: (
    params: { readonly productionId: string },
    options?: PlatformRequestOptions,
  ) => Promise<Production>;
  /**
   * The octets of a file as they come; only when the iteration has come to its end they are those that the production lists. It rejects
   * with `response-unreadable` where they are not. Retries are for the beginning: a connection that breaks off later is `network-failed`.
   */
  readonly file: (
    params: ProductionFileParams,
    options?: PlatformRequestOptions,
  ) => AsyncGenerator<Uint8Array, void, undefined>;
}

const DEMANDS = '/v1/demands';
const PRODUCTIONS = '/v1/productions';

/** Makes the calls of this group. */
export function demandCalls(requester: Requester): DemandCalls {
  const { send } = requester;
  return {
    ...pagedList(requester, { route: DEMANDS, item: demandSchema }),
    create: async ({ document, ...submission }, options) => {
      const body = demandBody(submission, document);
      return send(
        { method: 'POST', route: DEMANDS, body, accept: ACCEPT_JSON, receive: receivingJson(demandSchema) },
        options,
      );
    },
    retrieve: (path, options) => send(fetching(`${DEMANDS}/{demandId}`, demandSchema, { path: { ...path } }), options),
    decide: ({ demandId, ...body }, options) =>
      send(posting(`${DEMANDS}/{demandId}/decisions`, demandSchema, { path: { demandId }, body }), options),
  };
}

/** Makes the calls of this group. */
export function productionCalls(requester: Requester): ProductionCalls {
  return {
    retrieve: (path, options) =>
      requester.send(fetching(`${PRODUCTIONS}/{productionId}`, productionSchema, { path: { ...path } }), options),
    file: (params, options) => fileChunks(requester, params, options),
  };
}

/** The two parts of a demand. */
function demandBody(submission: Omit<DemandSubmission, 'documentSha256'>, document: Uint8Array): CallBody {
  if (document.length === 0 || document.length > MAX_DEMAND_DOCUMENT_BYTES)
    throw new HopbackError('invalid-argument', `document must have 1 to ${MAX_DEMAND_DOCUMENT_BYTES} octets`);
  const documentSha256 = createHash('sha256').update(document).digest('hex');
  return jsonAndPdfBody({
    ...{ jsonPart: 'demand', json: { ...submission, documentSha256 } },
    ...{ pdfPart: 'document', document },
  });
}

async function* fileChunks(
  requester: Requester,
  { productionId, file: { name, sizeBytes, sha256 } }: ProductionFileParams,
  options: PlatformRequestOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const call: PlatformCall<ReadableStream<Uint8Array> | null> = {
    method: 'GET',
    route: `${PRODUCTIONS}/{productionId}/files/{name}`,
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
