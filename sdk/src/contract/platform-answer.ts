import type { ProblemCode, ProblemDetails, ProblemLocation } from './common.js';
import type { DemandScope } from './demand.js';
import { PROBLEM_KINDS, problemType } from './problem-table.js';

/** What a platform answers to a call, before it is written as HTTP. */
export type PlatformAnswer =
  | {
      readonly kind: 'json';
      readonly value: unknown;
      readonly headers?: Readonly<Record<string, string>>;
    }
  | { readonly kind: 'nothing' }
  | {
      readonly kind: 'file';
      readonly bytes: Uint8Array;
      readonly mediaType: string;
    }
  | { readonly kind: 'event-stream'; readonly stream: ReadableStream<Uint8Array> }
  /** Not in problem form: the token endpoint. RFC 6749 section 5.2 */
  | {
      readonly kind: 'refusal';
      readonly status: number;
      readonly value: unknown;
    }
  | PlatformProblem;

/** A refusal as the contract has it. */
export interface PlatformProblem {
  readonly kind: 'problem';
  readonly code: ProblemCode;
  readonly detail?: string;
  readonly errors?: readonly ProblemLocation[];
  readonly retryAfterSeconds?: number;
}

/**
 * JSON as an answer.
 * @param value - in the form that the route has for its response
 * @returns the answer; never throws
 * @see RFC 8259
 * @example
 * ```ts
 * console.log(jsonAnswer({ items: [] }).kind); // json
 * ```
 */
export const jsonAnswer = (value: unknown): PlatformAnswer => ({ kind: 'json', value });

/**
 * A refusal as an answer.
 * @param code - what is wrong, as a word of the contract
 * @param rest - what was wrong this time, for people, and the places where; no telephone numbers
 * @returns the answer; never throws
 * @see RFC 9457
 * @example
 * ```ts
 * console.log(problemAnswer('rate-limited', { retryAfterSeconds: 2 }).retryAfterSeconds); // 2
 * ```
 */
export const problemAnswer = (
  code: ProblemCode,
  rest: Omit<PlatformProblem, 'kind' | 'code'> = {},
): PlatformProblem => ({ kind: 'problem', code, ...rest });

/**
 * The document of a refusal.
 * @param refusal - as an operation answered it
 * @param httpRequestId - what the platform calls this exchange in its logs
 * @returns the document with its status; never throws
 * @see RFC 9457 section 3
 * @example
 * ```ts
 * console.log(problemDocument(problemAnswer('not-found'), 'req-1').status); // 404
 * ```
 */
export function problemDocument(refusal: PlatformProblem, httpRequestId: string): ProblemDetails {
  const { code, detail, errors } = refusal;
  const { status, title } = PROBLEM_KINDS[code];
  return {
    type: problemType(code),
    title,
    status,
    code,
    httpRequestId,
    ...(detail !== undefined && { detail }),
    ...(errors !== undefined && errors.length > 0 && { errors }),
  };
}

/**
 * Refuses a scope that does not end later than it begins: it reaches no call, and nothing can be held for it.
 * @param scope - of a demand or of a decision, in the form of the contract
 * @returns the problem `scope-unusable`, which names both dates; undefined for a usable scope. Never throws
 * @see RFC 9457
 * @example
 * ```ts
 * const refusal = demandScopeRefusal({
 *   recordClasses: ['call-records'],
 *   from: '2026-10-24T00:00:00Z',
 *   to: '2026-10-19T00:00:00Z',
 * });
 * console.log(refusal?.code); // scope-unusable
 * ```
 */
export function demandScopeRefusal(scope: DemandScope): PlatformProblem | undefined {
  const { from, to } = scope;
  if (Date.parse(from) < Date.parse(to)) return undefined;
  return problemAnswer('scope-unusable', {
    detail: `The scope begins at ${from} and ends at ${to}. \`to\` has to be later than \`from\`.`,
    errors: [
      { pointer: '/scope/from', code: 'not-before-to' },
      { pointer: '/scope/to', code: 'not-after-from' },
    ],
  });
}
