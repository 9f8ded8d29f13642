import type { WireBodies, WireBodyName } from './bodies.js';
import type { PlatformScope, ProblemCode } from './common.js';

/**
 * One operation of the platform, as data: documents, mock handlers and servers are made of it. `Body` names the bodies that it can have:
 * those of the contract, or those of routes that a platform has beside it.
 */
export interface PlatformRoute<Body extends string = keyof WireBodies> {
  readonly operationId: string;
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** With names of path parameters in braces. */
  readonly path: string;
  readonly tag: string;
  readonly summary: string;
  readonly description: string;
  /** Who may call, any one of them; nobody in the list: a token is not asked for. */
  readonly allowed: readonly PlatformScope[];
  /** Which role a client of staff needs; absent: none. Other clients that may call need no role. */
  readonly role?: 'operator' | 'reviewer' | 'analyst';
  /** In the path, the query or a header field. Those of the path are always there. */
  readonly parameters: readonly {
    readonly name: string;
    readonly in: 'path' | 'query' | 'header';
    readonly form:
      | 'identifier'
      /** Name of a file, without separators. */
      | 'file-name'
      | 'cursor'
      /** 1 to 500. */
      | 'page-limit'
      /** RFC 3339 in UTC. */
      | 'utc-time'
      /** One line of text. */
      | 'line'
      /** FCC Registration Number, Operating Company Number, Service Provider Code. */
      | 'frn'
      | 'ocn'
      | 'spc'
      /** 1 to 128 visible ASCII characters. */
      | 'idempotency-key'
      /** One of these words. */
      | readonly string[];
    readonly description: string;
    readonly isRequired: boolean;
  }[];
  /** What is sent along. */
  readonly request?:
    | { readonly kind: 'json'; readonly body: Body }
    /** `application/x-www-form-urlencoded`. */
    | { readonly kind: 'form'; readonly body: Body }
    /** One JSON value a line, compressed. */
    | { readonly kind: 'lines'; readonly line: Body }
    /** `multipart/form-data`: a JSON part and a PDF. RFC 7578 */
    | {
        readonly kind: 'json-and-pdf';
        readonly jsonPart: string;
        readonly body: Body;
        readonly pdfPart: string;
      };
  /** What comes back when all went well. */
  readonly response:
    | {
        readonly kind: 'json';
        readonly status: 200 | 201 | 202;
        readonly body: Body;
        readonly description: string;
      }
    | {
        readonly kind: 'nothing';
        readonly status: 204;
        readonly description: string;
      }
    /** The bytes of a file. */
    | {
        readonly kind: 'file';
        readonly status: 200;
        readonly description: string;
      }
    /** `text/event-stream`, without an end. */
    | {
        readonly kind: 'event-stream';
        readonly status: 200;
        readonly description: string;
      };
  /** Refusals that are no problem documents. */
  readonly refusals?: readonly {
    readonly status: number;
    readonly body: Body;
    readonly description: string;
  }[];
  /** What can be wrong beside what every route with a token may answer. */
  readonly problems: readonly ProblemCode[];
  /**
   * What makes a repeat of a call harmless.
   * - `safe`: nothing is changed
   * - `by-content`: the body or path names what is done; said again it changes nothing
   * - `key`: the field `Idempotency-Key`, which has to be there
   */
  readonly idempotency: 'safe' | 'by-content' | 'key';
}

export type RouteParameter = PlatformRoute['parameters'][number];
export type RouteRequest<Body extends string = WireBodyName> = NonNullable<PlatformRoute<Body>['request']>;
export type RouteResponse<Body extends string = WireBodyName> = PlatformRoute<Body>['response'];

/** What belongs together, in a sentence each. */
export const ROUTE_TAGS = {
  Tokens: 'How a client says who it is.',
  'Call records': 'Live records from carriers.',
  'Traceback requests': 'What a provider is asked, and what it answers.',
  Tracebacks: 'One call, followed hop by hop.',
  'App reports': 'What robocall-blocking applications heard.',
  Providers: 'The registry of voice service providers, and how they answer.',
  'Do not originate': 'Numbers that place no calls: a call that shows one is spoofed.',
  'Campaigns and alerts': 'Calls that belong together, and who should know.',
  Notices: "The Federal Communications Commission's notices of suspected illegal traffic.",
  'Demands and productions': 'Legal process, its review, and what is handed over under it.',
  Events: 'What happened, by webhook and by stream.',
};

export type RouteTag = keyof typeof ROUTE_TAGS;

/** Media types of what is sent along. */
export const MEDIA_TYPES = {
  json: 'application/json',
  form: 'application/x-www-form-urlencoded',
  lines: 'application/x-ndjson',
  'json-and-pdf': 'multipart/form-data',
} as const;
