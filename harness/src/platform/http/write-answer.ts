import { PROBLEM_KINDS, problemDocument } from '@hopback/sdk/platform';
import type { PlatformAnswer } from '@hopback/sdk/platform';
import type { ServedRoute } from '../core/index.js';

/** Fields of every answer: nothing of it is kept by caches, shown in pages of others or read as what it is not. */
export const SECURITY_FIELDS: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
};

/** An answer that is to be written. */
export interface AnswerToWrite {
  readonly answer: PlatformAnswer;
  readonly httpRequestId: string;
  readonly route?: ServedRoute;
  /** Beside those that the answer has. */
  readonly fields?: Readonly<Record<string, string>>;
}

/** Writes an answer as HTTP. @see RFC 9457 section 3, RFC 6750 section 3 */
export function writeAnswer({ answer, httpRequestId, route, fields = {} }: AnswerToWrite): Response {
  const common = { ...SECURITY_FIELDS, 'request-id': httpRequestId, ...fields };
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
  const value = { type: 'about:blank', title: 'Method Not Allowed', status: 405, code: 'not-found', httpRequestId };
  return jsonResponse(value, 405, {
    ...SECURITY_FIELDS,
    'content-type': 'application/problem+json',
    'request-id': httpRequestId,
    allow,
  });
}
