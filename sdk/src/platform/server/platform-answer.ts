import { PROBLEM_KINDS, problemType } from '../contract/problem-table.js';
import type { ProblemCode, ProblemDetails, ProblemLocation } from '../wire/problem.js';

/** What a platform answers to a call, before it is written as HTTP. */
export type PlatformAnswer =
  | { readonly kind: 'json'; readonly value: unknown; readonly headers?: Readonly<Record<string, string>> }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'file'; readonly bytes: Uint8Array; readonly mediaType: string }
  | { readonly kind: 'event-stream'; readonly stream: ReadableStream<Uint8Array> }
  /** Not in problem form: the token endpoint. RFC 6749 section 5.2 */
  | { readonly kind: 'refusal'; readonly status: number; readonly value: unknown }
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
