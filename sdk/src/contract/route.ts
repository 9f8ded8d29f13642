import type { WireBodyName } from './bodies.js';
import type { PlatformScope, ProblemCode } from './common.js';

/** What a parameter of a route can hold. */
export type ParameterForm =
  | 'identifier'
  /** Name of a file, without separators. */
  | 'file-name'
  | 'cursor'
  /** 1 to `MAX_PAGE_ITEMS`. */
  | 'page-limit'
  /** RFC 3339 in UTC. */
  | 'utc-time'
  /** One line of text. */
  | 'line'
  /** FCC Registration Number. */
  | 'frn'
  /** Operating Company Number. */
  | 'ocn'
  /** Service Provider Code. */
  | 'spc'
  /** 1 to 128 visible ASCII characters. */
  | 'idempotency-key'
  /** One of these words. */
  | readonly string[];

/** A parameter in the path, the query or a header field. Those of the path are always there. */
export interface RouteParameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly form: ParameterForm;
  readonly description: string;
  readonly isRequired: boolean;
}

/** What is sent along. */
export type RouteRequest<Body extends string = WireBodyName> =
  | { readonly kind: 'json'; readonly body: Body }
  /** `application/x-www-form-urlencoded`. */
  | { readonly kind: 'form'; readonly body: Body }
  /** One JSON value a line, compressed. */
  | { readonly kind: 'lines'; readonly line: Body }
  /** `multipart/form-data`: a JSON part and a PDF. RFC 7578 */
  | { readonly kind: 'json-and-pdf'; readonly jsonPart: string; readonly body: Body; readonly pdfPart: string };

/** What comes back when all went well. */
export type RouteResponse<Body extends string = WireBodyName> =
  | {
      readonly kind: 'json';
      readonly status: 200 | 201 | 202;
      readonly body: Body;
      readonly description: string;
    }
  | { readonly kind: 'nothing'; readonly status: 204; readonly description: string }
  /** The bytes of a file. */
  | { readonly kind: 'file'; readonly status: 200; readonly description: string }
  /** `text/event-stream`, without an end. */
  | { readonly kind: 'event-stream'; readonly status: 200; readonly description: string };

/**
 * What makes a repeat of a call harmless.
 * - `safe`: nothing is changed
 * - `by-content`: the body or path names what is done; said again it changes nothing
 * - `key`: the field `Idempotency-Key`, which has to be there
 */
export type RouteIdempotency = 'safe' | 'by-content' | 'key';

/** What a route belongs to. */
export type RouteTag =
  | 'Tokens'
  | 'Call records'
  | 'Traceback requests'
  | 'Tracebacks'
  | 'App reports'
  | 'Providers'
  | 'Do not originate'
  | 'Campaigns and alerts'
  | 'Notices'
  | 'Demands and productions'
  | 'Events';

/**
 * One operation of the platform, as data: documents, mock handlers and servers are made of it. `Body` names the bodies that it can have:
 * those of the contract, or those of routes that a platform has beside it.
 */
export interface PlatformRoute<Body extends string = WireBodyName, Tag extends string = RouteTag> {
  readonly operationId: string;
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** With names of path parameters in braces. */
  readonly path: string;
  readonly tag: Tag;
  readonly summary: string;
  readonly description: string;
  /** Who may call, any one of them; nobody in the list: a token is not asked for. */
  readonly allowed: readonly PlatformScope[];
  readonly parameters: readonly RouteParameter[];
  readonly request?: RouteRequest<Body>;
  readonly response: RouteResponse<Body>;
  /** Refusals that are no problem documents. */
  readonly refusals?: readonly { readonly status: number; readonly body: Body; readonly description: string }[];
  /** What can be wrong beside {@link COMMON_PROBLEMS}, which every route with a token may answer. */
  readonly problems: readonly ProblemCode[];
  readonly idempotency: RouteIdempotency;
}

// What the tables of routes are written with.

/** A parameter of the path. */
export const inPath = (name: string, description: string, form: ParameterForm = 'identifier'): RouteParameter => ({
  name,
  in: 'path',
  form,
  description,
  isRequired: true,
});

/** A parameter of the query that may be left out. */
export const inQuery = (name: string, description: string, form: ParameterForm): RouteParameter => ({
  name,
  in: 'query',
  form,
  description,
  isRequired: false,
});

/** Parameters of every list. */
export const PAGING: readonly RouteParameter[] = [
  inQuery('cursor', 'Start of the page: `nextCursor` of the previous page.', 'cursor'),
  inQuery('limit', 'Items per page, 1 to 500; default 50.', 'page-limit'),
];

/** The field that makes a repeat harmless where the body does not. @see draft-ietf-httpapi-idempotency-key-header */
export const IDEMPOTENCY_KEY: RouteParameter = {
  name: 'Idempotency-Key',
  in: 'header',
  form: 'idempotency-key',
  description: 'The same for every attempt at the same call, another for each call. Kept for 24 hours at least.',
  isRequired: true,
};

/** Problems of every body that is read. */
export const BODY_PROBLEMS: readonly ProblemCode[] = ['invalid-body', 'too-large', 'unsupported-media-type'];
/** Problems of every field `Idempotency-Key`. */
export const KEY_PROBLEMS: readonly ProblemCode[] = [
  'invalid-parameter',
  'idempotency-key-reused',
  'idempotency-in-progress',
];

/** A body of JSON. */
export const json = (body: WireBodyName): RouteRequest => ({ kind: 'json', body });

/** A response of JSON. */
export const answered = (status: 200 | 201 | 202, body: WireBodyName, description: string): RouteResponse => ({
  kind: 'json',
  status,
  body,
  description,
});
