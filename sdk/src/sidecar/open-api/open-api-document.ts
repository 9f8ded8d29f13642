import type { SidecarConfiguration } from '../config/configuration.js';
import { STIR_SCHEMAS } from './stir-schemas.js';
import type { Schema } from './stir-schemas.js';

const json = (name: string): Schema => ({ 'application/json': { schema: { $ref: `#/components/schemas/${name}` } } });
const plain: Schema = { 'text/plain': { schema: { type: 'string' } } };
const answer = (description: string, content?: Schema): Schema => ({ description, ...(content && { content }) });

/** What every route of calls may answer beside its own. */
const PROBLEMS: Schema = Object.fromEntries(
  [
    ['400', 'The request cannot be understood.'],
    ['401', 'A token is needed.'],
    ['405', 'Only POST.'],
    ['413', 'The body is too large.'],
    ['415', 'Another Content-Type is needed.'],
    ['429', 'Too many requests; Retry-After says when.'],
    ['500', 'A mistake of ours.'],
    ['503', 'Nobody is trusted yet, or there is nothing to sign with.'],
  ].map(([status = '', description = '']) => [status, answer(description, json('RequestError'))]),
);
const JSON_PROBLEMS: Schema = { ...PROBLEMS, '406': answer('Only JSON.', json('RequestError')) };

interface Route {
  readonly id: string;
  readonly summary: string;
  readonly description: string;
  readonly body: Schema;
  readonly answers: Schema;
  readonly query?: readonly { readonly name: string; readonly description: string }[];
}

const SIGNING: Route = {
  id: 'signing',
  summary: 'Sign a call, or its diversion',
  description: 'ATIS-1000082 and 3GPP TS 24.229 annex V; `answers.signing` says in which dialect is answered.',
  body: json('SigningRequest'),
  answers: {
    '200': answer('Signed.', json('SigningResponse')),
    '403': answer('Rightly not signed: by policy, or an emergency call.', json('RequestError')),
    ...JSON_PROBLEMS,
  },
};
const VERIFICATION: Route = {
  id: 'verification',
  summary: 'Verify a call',
  description:
    'ATIS-1000082 and 3GPP TS 24.229 annex V; which is seen by the body. What is wrong with a call is no error: it is in the answer.',
  body: json('VerificationRequest'),
  answers: { '200': answer('Verified.', json('VerificationResponse')), ...JSON_PROBLEMS },
};
const ANSWER = {
  name: 'answer',
  description: 'text: as for a client that takes only text/plain, with all of it in lines.',
};
const TRUNK = { name: 'trunk', description: 'Name of the trunk, as in `trunks` of the configuration.' };

const OTHERS: Readonly<Record<string, Route>> = {
  '/v1/invite/verify': {
    id: 'inviteVerify',
    summary: 'Verify an INVITE as it came in',
    description:
      'Of a client that takes only text/plain the answer is the header fields for the call, one a line, and X-Hopback-Action, X-Hopback-Status and X-Hopback-Verstat are in its own.',
    body: plain,
    query: [
      TRUNK,
      { name: 'address', description: 'Address that the call came from, which trunks are told by.' },
      ANSWER,
    ],
    answers: {
      '200': answer('What is to be done with the call.', { ...json('InviteVerification'), ...plain }),
      ...PROBLEMS,
    },
  },
  '/v1/invite/sign': {
    id: 'inviteSign',
    summary: 'Sign an INVITE that is to go out',
    description: 'Of a client that takes only text/plain the answer is the header fields to add, one a line.',
    body: plain,
    query: [
      { name: 'attest', description: 'A, B or C, as the switch has decided; absent: the policy decides.' },
      TRUNK,
      ANSWER,
    ],
    answers: { '200': answer('Signed, or why not.', { ...json('InviteSigning'), ...plain }), ...PROBLEMS },
  },
  '/v1/check': {
    id: 'check',
    summary: 'Check an Identity header value, as secsipidx does',
    description: 'The call is not known: whether the Identity is about it is not checked.',
    body: plain,
    answers: {
      '200': answer('OK', plain),
      ...PROBLEMS,
      '500': answer('FAILED; X-Hopback-Reason says why.', plain),
    },
  },
  '/v1/sign-csv': {
    id: 'signCsv',
    summary: 'Sign OrigTN,DestTN,ATTEST,OrigID,X5U, as secsipidx does',
    description: 'X5U is not heard: the signing certificate says where it is.',
    body: plain,
    answers: {
      '200': answer('Value of the Identity header field.', plain),
      ...PROBLEMS,
      '400': answer('The line cannot be understood.', plain),
      '500': answer('FAILED; X-Hopback-Reason says why.', plain),
    },
  },
};

/**
 * Describes the routes of calls, as they are configured, in OpenAPI 3.1.
 * @param configuration - its base paths and whether it asks for tokens
 * @returns plain JSON
 */
export function openApiDocument({ answers, listen }: SidecarConfiguration): Readonly<Record<string, unknown>> {
  const bases = ['/stir/v1', ...answers.basePaths.map((path) => path.replace(/\/$/, ''))];
  const stir = bases.flatMap((base, index): readonly [string, Route][] => [
    [`${base}/signing`, numbered(SIGNING, index)],
    [`${base}/verification`, numbered(VERIFICATION, index)],
  ]);
  const isGuarded = listen.calls.tokens.length > 0;
  return {
    openapi: '3.1.0',
    info: {
      title: 'Hopback sidecar: calls',
      version: '1',
      description:
        'Verifies and signs calls for a switch. X-RequestID is given back in each answer, and made where there is none.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    ...(isGuarded && { security: [{ token: [] }] }),
    paths: {
      ...Object.fromEntries(
        [...stir, ...Object.entries(OTHERS)].map(([path, route]) => [path, pathOf(route, isGuarded)]),
      ),
      ...probes(),
    },
    components: {
      schemas: STIR_SCHEMAS,
      ...(isGuarded && { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } }),
    },
  };
}

/** Names of operations are unique, also where a path has others beside it. */
const numbered = (route: Route, index: number): Route =>
  index === 0 ? route : { ...route, id: `${route.id}${String(index + 1)}` };

function pathOf({ id, summary, description, body, answers, query = [] }: Route, isGuarded: boolean): Schema {
  const parameters = query.map(({ name, description: about }) => ({
    ...{ name, in: 'query', required: false, description: about },
    schema: { type: 'string' },
  }));
  const { '401': _unauthorized, ...open } = answers;
  return {
    post: {
      ...{ operationId: id, summary, description },
      ...(!isGuarded && { security: [] }),
      ...(parameters.length > 0 && { parameters }),
      requestBody: { required: true, content: body },
      responses: isGuarded ? answers : open,
    },
  };
}

function probes(): Schema {
  const get = (operationId: string, summary: string, responses: Schema): Schema => ({
    get: { operationId, summary, security: [], responses },
  });
  return {
    '/livez': get('livez', 'The process answers', { '200': answer('ok', plain) }),
    '/readyz': get('readyz', 'It can do what it is there for', {
      '200': answer('Ready.', json('Readiness')),
      '503': answer('Not ready, or about to end.', json('Readiness')),
    }),
    '/metrics': get('metrics', 'Counts, for Prometheus', { '200': answer('Prometheus text.', plain) }),
    '/openapi.json': get('openApi', 'This document', {
      '200': answer('OpenAPI 3.1.', { 'application/json': { schema: { type: 'object' } } }),
    }),
  };
}
