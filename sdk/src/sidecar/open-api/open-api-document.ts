import type { SidecarConfiguration } from '../config/configuration.schema.js';

/** A JSON Schema as OpenAPI 3.1 has it. */
type Schema = Readonly<Record<string, unknown>>;

const text = (description: string, more: Schema = {}): Schema => ({ type: 'string', description, ...more });
const seconds = (description: string): Schema => ({ type: 'integer', minimum: 0, description });
const list = (items: Schema): Schema => ({ type: 'array', items });
const reference = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` });
const object = (properties: Readonly<Record<string, Schema>>, required: readonly string[] = []): Schema => ({
  type: 'object',
  properties,
  ...(required.length > 0 && { required }),
});

const oneOrMore = (description: string): Schema => ({
  description,
  oneOf: [{ type: 'string' }, list({ type: 'string' })],
});

const VERSTAT = text('What the callee is told; with `answers.verstatSuffix` followed by the attestation.', {
  pattern: '^(TN-Validation-Passed|TN-Validation-Failed|No-TN-Validation)(-[ABC])?$',
});
const CODE: Schema = {
  type: 'integer',
  enum: [403, 428, 436, 437, 438],
  description: 'SIP response code of RFC 8224 section 6.2.2: a number; absent if nothing is wrong.',
};

const verifyResult = object(
  {
    ppt: text('PASSporT type; empty where it could not be read.'),
    status: { enum: ['pass', 'fail', 'ignored'], description: '`ignored`: a type that is not verified here.' },
    reasonCode: CODE,
    reasonText: text('Phrase of the code.'),
    reasonDescription: text('What was found, in a sentence.'),
    validClaims: { type: 'object', description: 'Claims of a PASSporT that passed.' },
    passport: text('The PASSporT that did not pass.'),
  },
  ['ppt', 'status'],
);

/** Bodies of the API by name. @see ATIS-1000082, 3GPP TS 24.229 annex V */
const STIR_SCHEMAS: Readonly<Record<string, Schema>> = {
  Party: object({ tn: text('Telephone number in canonical form.'), uri: text('SIP URI, where there is no number.') }),
  Parties: object({ tn: oneOrMore('Telephone numbers in canonical form.'), uri: oneOrMore('SIP URIs.') }),
  SigningRequest: object(
    {
      signingRequest: object(
        {
          attest: { enum: ['A', 'B', 'C'], description: 'Absent: the attestation policy decides.' },
          orig: reference('Party'),
          dest: reference('Parties'),
          iat: seconds('Now, seconds since the epoch. Without it the request is a heartbeat.'),
          origid: text('UUID; absent: a new one.'),
          div: reference('Party'),
          identityHeader: text('With div: what the request is signed with already.'),
          identityHeaders: list({ type: 'string' }),
        },
        ['orig', 'dest'],
      ),
    },
    ['signingRequest'],
  ),
  SigningResponse: object(
    {
      signingResponse: object({
        identity: text('Value of the Identity header field, ATIS-1000082; empty for a heartbeat.'),
        identityHeader: text('The same in the dialect of TS 24.229.'),
      }),
    },
    ['signingResponse'],
  ),
  VerificationRequest: object(
    {
      verificationRequest: object(
        {
          from: reference('Party'),
          to: reference('Parties'),
          time: seconds('Date of the INVITE, seconds since the epoch.'),
          identity: oneOrMore('Identity header field, ATIS-1000082. Without any the request is a heartbeat.'),
          identityHeader: text('The same in the dialect of TS 24.229.'),
          identityHeaders: list({ type: 'string' }),
          dest: reference('Party'),
          protectedHeaders: { description: 'Not looked at: types that protect header fields are ignored.' },
          requestId: text('Given back in the answer of the TS 24.229 dialect.'),
        },
        ['from', 'to'],
      ),
    },
    ['verificationRequest'],
  ),
  VerificationResponse: object(
    {
      verificationResponse: {
        oneOf: [
          object(
            {
              verstat: VERSTAT,
              reasoncode: CODE,
              reasontext: text('Phrase of the code.'),
              reasondesc: text('What was found, in a sentence.'),
              reasonCode: CODE,
              reasonText: text('Phrase of the code.'),
              reasonDesc: text('What was found, in a sentence.'),
              attest: { enum: ['A', 'B', 'C'] },
              origid: text('Of the shaken PASSporT that passed.'),
            },
            ['verstat'],
          ),
          object(
            {
              verstatValue: VERSTAT,
              verifyResults: list(object({ verifyResult }, ['verifyResult'])),
              divResult: list(object({ div: reference('Party'), verstatValue: VERSTAT }, ['div', 'verstatValue'])),
              requestId: text('As it was sent.'),
            },
            ['verstatValue', 'verifyResults'],
          ),
        ],
      },
    },
    ['verificationResponse'],
  ),
  InviteVerification: object(
    {
      action: { enum: ['continue', 'reject'], description: 'What policy says of the call.' },
      status: { type: 'integer', description: 'SIP response to reject it with.' },
      reasonPhrase: text('Phrase of that response.'),
      because: text('The concern that it is rejected for.'),
      verstat: VERSTAT,
      attestation: { enum: ['A', 'B', 'C'] },
      origId: text('Of the shaken PASSporT that passed.'),
      spc: text('Service provider code of the signer.'),
      caller: object({ name: { enum: ['P-Asserted-Identity', 'From'] }, value: { type: 'string' } }, ['name', 'value']),
      reasonHeaders: list(text('Value of a Reason header field, for the next response but 100.')),
      concerns: list({ type: 'string' }),
      reasons: list({ type: 'string' }),
    },
    ['action', 'verstat', 'reasonHeaders', 'concerns', 'reasons'],
  ),
  InviteSigning: object(
    {
      isSigned: { type: 'boolean' },
      identity: list(text('Value of an Identity header field to add.')),
      date: text('Value of the Date header field that the request must get.'),
      reason: text('Why it was not signed.'),
    },
    ['isSigned', 'identity'],
  ),
  Readiness: object(
    {
      isReady: { type: 'boolean' },
      trust: { type: 'string' },
      signing: { type: 'string' },
      isDraining: { type: 'boolean' },
    },
    ['isReady', 'trust', 'signing', 'isDraining'],
  ),
  RequestError: object(
    {
      requestError: {
        oneOf: ['serviceException', 'policyException'].map((name) =>
          object({ [name]: reference('Exception') }, [name]),
        ),
      },
    },
    ['requestError'],
  ),
  Exception: object(
    {
      messageId: text('SVC4000 to SVC4007, or POL and a number.', { pattern: '^(SVC|POL)[0-9]{4}$' }),
      text: text('With %1, %2 for the variables.'),
      variables: list({ type: 'string' }),
    },
    ['messageId', 'text', 'variables'],
  ),
};

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
    ['503', 'No trust anchors are loaded yet, or no signing key.'],
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
  description: 'ATIS-1000082 and 3GPP TS 24.229 annex V; `answers.signing` selects the dialect of the answer.',
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
    'ATIS-1000082 and 3GPP TS 24.229 annex V; the body shows which. A fault of the call is not an error: the answer reports it.',
  body: json('VerificationRequest'),
  answers: { '200': answer('Verified.', json('VerificationResponse')), ...JSON_PROBLEMS },
};
const ANSWER = {
  name: 'answer',
  description: 'text: answer as for a client that accepts only text/plain, all in lines.',
};
const TRUNK = { name: 'trunk', description: 'Name of the trunk, as in `trunks` of the configuration.' };

const OTHERS: Readonly<Record<string, Route>> = {
  '/v1/invite/verify': {
    id: 'inviteVerify',
    summary: 'Verify an INVITE as it came in',
    description:
      'For a client that accepts only text/plain, the answer is the header fields for the call, one per line; its own headers include X-Hopback-Action, X-Hopback-Status and X-Hopback-Verstat.',
    body: plain,
    query: [
      TRUNK,
      { name: 'address', description: 'Address that the call came from; it identifies the trunk.' },
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
    description: 'For a client that accepts only text/plain, the answer is the header fields to add, one per line.',
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
    description: 'The call is unknown, so the Identity is not compared with it.',
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
    description: 'X5U is ignored: the URL of the signing certificate is used.',
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
    name,
    in: 'query',
    required: false,
    description: about,
    schema: { type: 'string' },
  }));
  const { '401': _unauthorized, ...open } = answers;
  return {
    post: {
      operationId: id,
      summary,
      description,
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
