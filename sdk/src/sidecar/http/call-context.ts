import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import type { CallVerdict, VerificationRequest } from '../../stir/index.js';
import { stirApiProblemBody } from '../dialects/stir-api.js';
import type { StirApiProblem } from '../dialects/stir-api.js';
import type { SidecarMetrics } from '../metrics.js';
import type { SidecarServices } from '../services/sidecar-services.js';

/** What a client gets. */
export interface Answer {
  readonly status: number;
  /** Text, in UTF-8. */
  readonly body: string;
  readonly contentType: string;
  /** Further header fields: name, value, name, value. */
  readonly headers?: readonly string[];
}

/** Answers of JSON. */
export const jsonAnswer = (body: string, status = 200): Answer => ({
  status,
  body,
  contentType: 'application/json; charset=utf-8',
});

/** Answers of text. */
export const textAnswer = (body: string, status = 200): Answer => ({
  status,
  body,
  contentType: 'text/plain; charset=utf-8',
});

/** A problem as its answer; where a client may come again it is told when. */
export const problemAnswer = (problem: StirApiProblem, retryAfterSeconds?: number): Answer => ({
  ...jsonAnswer(stirApiProblemBody(problem), problem.status),
  ...(retryAfterSeconds !== undefined && { headers: ['Retry-After', String(retryAfterSeconds)] }),
});

/** Sends an answer at once and whole. One whose client has gone is dropped. */
export function sendAnswer(response: ServerResponse, answer: Answer, extra: readonly string[]): void {
  if (response.headersSent || response.destroyed) return;
  const { status, body, contentType, headers = [] } = answer;
  const fields = ['Content-Type', contentType, 'Content-Length', String(Buffer.byteLength(body)), ...extra, ...headers];
  response.writeHead(status, fields);
  response.end(body);
}

/** A call that was verified here, for whoever keeps records. */
export interface VerifiedCall {
  readonly verdict: CallVerdict;
  readonly request: VerificationRequest;
  readonly requestId: string;
  readonly trunk?: string;
  readonly address?: string;
  /** SIP Call-ID, where the whole INVITE was given. */
  readonly callId?: string;
}

/** What answers to calls are made with. */
export interface CallContext {
  readonly services: SidecarServices;
  readonly metrics: SidecarMetrics;
  /** Milliseconds that only go forward. */
  readonly elapsedMs: () => number;
  /** Hears of each verified call; returns at once. */
  readonly onVerified: (call: VerifiedCall) => void;
  readonly onTrouble: (error: unknown) => void;
}

/** One request on the way of a call. */
export interface CallRequest {
  readonly text: string;
  /** Path behind the route's, and query. */
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** Name of the client. */
  readonly client: string;
  readonly requestId: string;
}

/** @param value - of Content-Type @returns the type without parameters, in lower case; empty where there is none */
export function mediaType(value: string | undefined): string {
  if (value === undefined || value === 'application/json') return value ?? '';
  const [type = ''] = value.split(';', 1);
  return type.trim().toLowerCase();
}

/** Whether a type is JSON, or a kind of it. @see RFC 6839 section 3.1 */
export const isJson = (type: string): boolean => type === 'application/json' || type.endsWith('+json');

/**
 * Whether a client takes a type.
 * @param accept - value of Accept; absent: whatever there is
 * @param type - `application/json`
 * @see RFC 9110 section 12.5.1
 */
export function accepts(accept: string | undefined, type: string): boolean {
  if (accept === undefined || accept === type || accept === '*/*' || accept.trim() === '') return true;
  const [main = ''] = type.split('/', 1);
  return accept.split(',').some((range) => {
    const [name = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    const isRefused = parameters.some((parameter) => /^q=0(?:\.0{0,3})?$/.test(parameter));
    return !isRefused && (name === type || name === '*/*' || name === `${main}/*`);
  });
}
