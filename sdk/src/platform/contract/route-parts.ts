import type { ProblemCode } from '../wire/problem.js';
import type { ParameterForm, RouteParameter, RouteRequest, RouteResponse } from './route.js';
import type { WireBodyName } from '../wire/wire-bodies.js';

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
  inQuery('cursor', 'From where the list goes on: nextCursor of the page before.', 'cursor'),
  inQuery('limit', 'Most items of the page, 1 to 500; 50 where nothing is said.', 'page-limit'),
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
