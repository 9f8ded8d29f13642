import type { ServerResponse } from 'node:http';
import { stirApiProblemBody } from '../dialects/stir-api-problem.js';
import type { StirApiProblem } from '../dialects/stir-api-problem.js';

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
