import type { JsonObject, JsonValue } from '../core/json-text.js';
import type { WireBodyName } from './bodies.js';
import type { PlatformScope, ProblemCode } from './common.js';
import { componentSchemas, parameterSchema, schemaAddress } from './component-schemas.js';
import type { PlatformEventType } from './event.js';
import { PLATFORM_EVENT_KINDS } from './event-table.js';
import type { WireExample } from './examples/example.js';
import { exampleEvent, WIRE_EXAMPLES } from './examples/wire-examples.js';
import { COMMON_PROBLEMS, PROBLEM_KINDS } from './problem-table.js';
import type { PlatformRoute, RouteParameter, RouteRequest, RouteResponse } from './route.js';
import { MEDIA_TYPES, ROUTE_TAGS } from './route.js';
import { CONTRACT_VERSION, PLATFORM_ROUTES } from './routes.js';

/** What stands at the head of both documents. */
export function documentInfo(): {
  readonly title: string;
  readonly version: string;
  readonly summary: string;
  readonly description: string;
  readonly license: JsonValue;
} {
  return {
    title: 'Hopback platform contract',
    version: CONTRACT_VERSION,
    summary: 'Everything between carriers, robocall-blocking applications, agencies and a traceback platform.',
    description: [
      'Telephone carriers are asked who sent them a call, and answer; applications report robocalls; agencies demand records; the traceback group runs the platform between them.',
      'Receivers ignore members, event types and problem codes that they do not know. Every other set of values is fixed within a version. Times are RFC 3339 in UTC unless the member says otherwise. Ids are opaque.',
      'The guide "The platform contract" in the documentation of Hopback says how to read and use it.',
    ].join('\n\n'),
    license: { name: 'MIT', identifier: 'MIT' },
  };
}

/** Where a platform is. */
const PLATFORM_SERVER: JsonObject = {
  url: 'https://{host}',
  description: 'A traceback platform',
  variables: {
    host: { default: 'itg.example', description: 'Name of the host, with a port where it is another than 443.' },
  },
};

/** What each scope is for. */
export const SCOPE_DESCRIPTIONS: Readonly<Record<PlatformScope, string>> = {
  carrier: 'Voice service providers that are asked, answer and stream records',
  app: 'Robocall-blocking applications that report calls',
  agency: 'Law enforcement and regulators, with demands and productions',
  staff: 'People of the traceback group',
};

/** Header fields of what is posted to a webhook. @see https://github.com/standard-webhooks/standard-webhooks */
export const WEBHOOK_FIELDS: readonly {
  readonly name: string;
  readonly description: string;
  readonly schema: Readonly<Record<string, string | number>>;
}[] = [
  {
    name: 'webhook-id',
    description: 'Of the event: the same for every attempt and for a replay.',
    schema: { type: 'string', minLength: 1, maxLength: 128 },
  },
  {
    name: 'webhook-timestamp',
    description: 'When this attempt was made, seconds since the epoch. More than five minutes from now: refuse it.',
    schema: { type: 'string', pattern: '^[0-9]{1,12}$' },
  },
  {
    name: 'webhook-signature',
    description:
      '`v1,` and the base64 of HMAC-SHA-256 over `{webhook-id}.{webhook-timestamp}.{body}`; several with a space between while a secret is changed.',
    schema: { type: 'string', minLength: 1, maxLength: 1_024 },
  },
];

// What stands under `content` of the OpenAPI document.

/** What is sent along. */
function requestBody(request: RouteRequest<string>): JsonObject {
  const type = MEDIA_TYPES[request.kind];
  if (request.kind === 'json-and-pdf') return { required: true, content: { [type]: twoParts(request) } };
  if (request.kind !== 'lines') return { required: true, content: { [type]: body(request.body) } };
  const description = 'One value of this schema a line, each line ending in a line feed.';
  return { required: true, description, content: { [type]: body(request.line) } };
}

function twoParts({
  jsonPart,
  body: name,
  pdfPart,
}: Extract<RouteRequest<string>, { kind: 'json-and-pdf' }>): JsonObject {
  const pdf = { type: 'string', contentMediaType: 'application/pdf', description: 'The bytes of the PDF.' };
  return {
    schema: {
      type: 'object',
      properties: { [jsonPart]: { $ref: schemaAddress(name) }, [pdfPart]: pdf },
      required: [jsonPart, pdfPart],
    },
    encoding: { [jsonPart]: { contentType: 'application/json' }, [pdfPart]: { contentType: 'application/pdf' } },
  };
}

/** What comes back when all went well, by media type; nothing where there is no body. */
function responseContent(response: RouteResponse<string>): JsonObject | undefined {
  if (response.kind === 'json') return { 'application/json': body(response.body) };
  if (response.kind === 'file') return { '*/*': { schema: {} } };
  if (response.kind === 'nothing') return undefined;
  return { 'text/event-stream': { schema: STREAMED, examples: { 'an-event': { value: streamedExample() } } } };
}

/** A body with its examples: each of the contract has some. */
function body(name: string): JsonObject {
  const examples = examplesOf(name).map((one) => [one.name, { $ref: exampleAddress(name, one.name) }]);
  return {
    schema: { $ref: schemaAddress(name) },
    ...(examples.length > 0 && { examples: Object.fromEntries(examples) as JsonObject }),
  };
}

const examplesOf = (name: string): readonly WireExample[] =>
  name in WIRE_EXAMPLES ? WIRE_EXAMPLES[name as WireBodyName] : [];

/** Under which key an example stands in the components. */
const exampleKey = (name: string, example: string): string => `${name}.${example}`;

/** Where an example is found in the document. */
const exampleAddress = (name: string, example: string): string => `#/components/examples/${exampleKey(name, example)}`;

/** Of a stream each `data` is an event: of a kind that is known, or of one of a later release. */
const STREAMED: JsonObject = {
  type: 'string',
  contentMediaType: 'text/event-stream',
  contentSchema: {
    anyOf: [{ $ref: schemaAddress('PlatformEvent') }, { $ref: schemaAddress('PlatformEventEnvelope') }],
  },
};

function streamedExample(): string {
  const event = exampleEvent('org.hopback.traceback-request.overdue.1');
  return `id: ${event.id}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}

/** What nobody who calls without a token can be told. */
const PROBLEMS_WITHOUT_TOKEN: readonly ProblemCode[] = ['rate-limited', 'internal', 'unavailable'];

const PROBLEM_MEDIA_TYPE = 'application/problem+json';

/**
 * The contract as an OpenAPI 3.1 document: every route with who may call it, its bodies, examples and problems, and every event as a
 * webhook. It is made of the same tables and schemas that the client, the mock handlers and the reference platform use. Never throws.
 * @param beside - what a platform serves beside the contract: its routes, the schemas (zod) of their bodies, and what their tags are
 * @returns plain JSON
 * @see https://spec.openapis.org/oas/v3.1.1
 * @example
 * ```ts
 * const document = openApiDocument();
 * console.log(document['openapi'], Object.keys(document['paths'] ?? {}).length); // 3.1.1 30
 * ```
 */
export function openApiDocument(
  beside: {
    readonly routes?: readonly PlatformRoute<string>[];
    readonly schemas?: Readonly<Record<string, object>>;
    readonly tags?: Readonly<Record<string, string>>;
  } = {},
): JsonObject {
  const routes = [...PLATFORM_ROUTES, ...(beside.routes ?? [])];
  return {
    openapi: '3.1.1',
    info: documentInfo(),
    servers: [PLATFORM_SERVER],
    tags: Object.entries({ ...ROUTE_TAGS, ...beside.tags }).map(([name, description]) => ({ name, description })),
    paths: paths(routes),
    webhooks: webhooks(),
    components: {
      securitySchemes: securitySchemes(),
      headers: headers(),
      responses: Object.fromEntries(
        statuses(COMMON_PROBLEMS).map((status) => [`Problem${status}`, problem(status, COMMON_PROBLEMS)]),
      ),
      examples: examples(routes),
      schemas: componentSchemas(beside.schemas),
    },
  };
}

function paths(routes: readonly PlatformRoute<string>[]): JsonObject {
  const byPath: Record<string, Record<string, JsonValue>> = {};
  for (const route of routes) (byPath[route.path] ??= {})[route.method.toLowerCase()] = operation(route);
  return byPath;
}

function operation(route: PlatformRoute<string>): JsonObject {
  return {
    operationId: route.operationId,
    tags: [route.tag],
    summary: route.summary,
    description: route.description,
    security: route.allowed.flatMap((scope) => [{ platformToken: [scope] }, { clientCertificate: [scope] }]),
    ...(route.parameters.length > 0 && { parameters: route.parameters.map(parameter) }),
    ...(route.request !== undefined && { requestBody: requestBody(route.request) }),
    responses: responses(route),
    'x-hopback-idempotency': route.idempotency,
    ...(route.role !== undefined && { 'x-hopback-staff-role': route.role }),
    'x-hopback-problem-codes': problemCodes(route),
  };
}

function parameter({ name, in: place, form, description, isRequired }: RouteParameter): JsonObject {
  return {
    name,
    in: place,
    description,
    required: isRequired,
    schema: parameterSchema(form),
  };
}

function responses(route: PlatformRoute<string>): JsonObject {
  const codes = problemCodes(route);
  const refused = (route.refusals ?? []).map(({ status, body: name, description }) => [
    String(status),
    { description, headers: COMMON_HEADERS, content: { 'application/json': body(name) } },
  ]);
  const problems = statuses(codes).map((status) => [
    String(status),
    isCommon(status, codes) ? { $ref: `#/components/responses/Problem${status}` } : problem(status, codes),
  ]);
  return Object.fromEntries([
    [String(route.response.status), success(route.response)],
    ...refused,
    ...problems,
  ]) as JsonObject;
}

function success(response: RouteResponse<string>): JsonObject {
  const content = responseContent(response);
  return { description: response.description, headers: COMMON_HEADERS, ...(content !== undefined && { content }) };
}

/** Those that a media type of some route refers to. */
function examples(routes: readonly PlatformRoute<string>[]): JsonObject {
  return Object.fromEntries(
    [...new Set([...routes.flatMap(bodiesOf), 'ProblemDetails'])]
      .toSorted()
      .flatMap((name) =>
        examplesOf(name).map(({ name: example, summary, value }) => [
          exampleKey(name, example),
          { summary, value: value as unknown as JsonValue },
        ]),
      ),
  ) as JsonObject;
}

function bodiesOf({ request, response, refusals = [] }: PlatformRoute<string>): readonly string[] {
  const asked =
    request === undefined || request.kind === 'json-and-pdf'
      ? []
      : [request.kind === 'lines' ? request.line : request.body];
  return [...asked, ...(response.kind === 'json' ? [response.body] : []), ...refusals.map((refusal) => refusal.body)];
}

function problemCodes({ allowed, problems }: Pick<PlatformRoute, 'allowed' | 'problems'>): readonly ProblemCode[] {
  return [...new Set([...problems, ...(allowed.length > 0 ? COMMON_PROBLEMS : PROBLEMS_WITHOUT_TOKEN)])];
}

const statuses = (codes: readonly ProblemCode[]): readonly number[] =>
  [...new Set(codes.map((code) => PROBLEM_KINDS[code].status))].toSorted((one, other) => one - other);

const withStatus = (status: number, codes: readonly ProblemCode[]): readonly ProblemCode[] =>
  codes.filter((code) => PROBLEM_KINDS[code].status === status);

const isCommon = (status: number, codes: readonly ProblemCode[]): boolean =>
  withStatus(status, codes).every((code) => COMMON_PROBLEMS.includes(code));

function problem(status: number, codes: readonly ProblemCode[]): JsonObject {
  const lines = withStatus(status, codes).map(
    (code) => `\`${code}\`: ${PROBLEM_KINDS[code].title}. ${PROBLEM_KINDS[code].remedy}`,
  );
  const waits = status === 429 || status === 503;
  return {
    description: lines.join('\n\n'),
    headers: waits ? { ...COMMON_HEADERS, 'Retry-After': { $ref: '#/components/headers/RetryAfter' } } : COMMON_HEADERS,
    content: {
      [PROBLEM_MEDIA_TYPE]: {
        schema: { $ref: schemaAddress('ProblemDetails') },
        ...(status === 400 && {
          examples: { 'invalid-body': { $ref: exampleAddress('ProblemDetails', 'invalid-body') } },
        }),
        ...(status === 429 && {
          examples: { 'rate-limited': { $ref: exampleAddress('ProblemDetails', 'rate-limited') } },
        }),
      },
    },
  };
}

const COMMON_HEADERS: JsonObject = { 'Request-Id': { $ref: '#/components/headers/RequestId' } };

function headers(): JsonObject {
  return {
    RequestId: {
      description: 'What the platform calls this exchange in its logs; also `httpRequestId` of a problem.',
      schema: { type: 'string', minLength: 1, maxLength: 128 },
    },
    RetryAfter: {
      description: 'Do not repeat the call before this time, or for this many seconds. RFC 9110 section 10.2.3',
      schema: { type: 'string', maxLength: 64 },
    },
  };
}

function securitySchemes(): JsonObject {
  return {
    platformToken: {
      type: 'oauth2',
      description:
        'Client credentials with an assertion that the client signed (private_key_jwt). RFC 6749 section 4.4, RFC 7523',
      flows: { clientCredentials: { tokenUrl: '/oauth/token', scopes: { ...SCOPE_DESCRIPTIONS } } },
    },
    clientCertificate: {
      type: 'mutualTLS',
      description: 'A certificate that is registered for the organization, with the scopes that are named. RFC 8705',
    },
  };
}

function webhooks(): JsonObject {
  return Object.fromEntries(
    Object.entries(PLATFORM_EVENT_KINDS).map(([type, { name, summary, description }]) => [
      type,
      {
        post: {
          operationId: `post${name}`,
          tags: ['Events'],
          summary,
          description: `${description} Answer with 2xx within 15 seconds; otherwise the event is posted again, for days.`,
          security: [],
          parameters: WEBHOOK_FIELDS.map((field) => ({ ...field, in: 'header', required: true })),
          requestBody: {
            required: true,
            content: {
              'application/json': {
                schema: { $ref: schemaAddress(name) },
                examples: {
                  [name]: { summary, value: exampleEvent(type as PlatformEventType) as unknown as JsonValue },
                },
              },
            },
          },
          responses: {
            '2XX': { description: 'Taken. The body is not read.' },
            '410': { description: 'No more events are wanted here: the endpoint is disabled.' },
            '4XX': { description: 'Not taken: posted again later.' },
          },
        },
      },
    ]),
  );
}
