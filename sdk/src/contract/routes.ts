import type { WireBodyName } from './bodies.js';
import type { PlatformScope, ProblemCode } from './common.js';
import type { PlatformRoute, RouteParameter, RouteRequest, RouteResponse, RouteTag } from './route.js';

/** Version of the contract: the first number is that of the paths, formats and event types. */
export const CONTRACT_VERSION = '1.0.0';

/** A parameter of the path. */
export const inPath = (name: string, description: string): RouteParameter => {
  return {
    name,
    in: 'path',
    form: 'identifier',
    description,
    isRequired: true,
  };
};

/** A parameter of the query that may be left out. */
export const inQuery = (name: string, description: string, form: RouteParameter['form']): RouteParameter => {
  return {
    name,
    in: 'query',
    form,
    description,
    isRequired: false,
  };
};

const inHeader = (
  name: string,
  description: string,
  form: RouteParameter['form'],
  isRequired = true,
): RouteParameter => {
  return {
    name,
    in: 'header',
    form,
    description,
    isRequired,
  };
};

/** The field that makes a repeat harmless where the body does not. @see draft-ietf-httpapi-idempotency-key-header */
export const IDEMPOTENCY_KEY: RouteParameter = inHeader(
  'Idempotency-Key',
  'The same for every attempt at the same call, another for each call. Kept for 24 hours at least.',
  'idempotency-key',
);

/** Parameters of every list. */
export const PAGING: readonly RouteParameter[] = [
  inQuery('cursor', 'Start of the page: `nextCursor` of the previous page.', 'cursor'),
  inQuery('limit', 'Items per page, 1 to 500; default 50.', 'page-limit'),
];

/** What the parameters of paths are, by name. */
const PATH_PARAMETERS: Readonly<Record<string, string>> = {
  requestId: 'Of the request to the calling provider.',
  answerId: 'Of the answer.',
  noticeId: 'Of the notice.',
  providerId: 'Of the provider in the registry.',
  tracebackId: 'Of the traceback.',
  campaignId: 'Of the campaign.',
  alertId: 'Of the alert.',
  demandId: 'Of the demand.',
  productionId: 'Of the production.',
  endpointId: 'Of the endpoint.',
  name: 'Of the file.',
};

function pathParameters(path: string): readonly RouteParameter[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({
    ...inPath(name, PATH_PARAMETERS[name] ?? ''),
    form: name === 'name' ? 'file-name' : 'identifier',
  }));
}

/** Problems of every body that is read. */
const BODY_PROBLEMS: readonly ProblemCode[] = ['invalid-body', 'too-large', 'unsupported-media-type'];
/** Problems of every field `Idempotency-Key`. */
const KEY_PROBLEMS: readonly ProblemCode[] = ['invalid-parameter', 'idempotency-key-reused', 'idempotency-in-progress'];

/** A body of JSON. */
const json = (body: WireBodyName): RouteRequest => ({ kind: 'json', body });

/** A response of JSON. */
const answered = (status: 200 | 201 | 202, body: WireBodyName, description: string): RouteResponse => {
  return { kind: 'json', status, body, description };
};

/** What a table says of a route. The rest follows from method, path and body. */
type RouteEntry = Pick<PlatformRoute, 'operationId' | 'summary' | 'description' | 'response'> & Partial<PlatformRoute>;

/**
 * Routes of one tag, by method and path.
 * @param allowed - who may call those that do not say otherwise
 */
function routes(
  tag: RouteTag,
  allowed: readonly PlatformScope[],
  entries: Readonly<Record<`${PlatformRoute['method']} ${string}`, RouteEntry>>,
): readonly PlatformRoute[] {
  return Object.entries(entries).map(([place, { parameters: own = [], ...entry }]): PlatformRoute => {
    const [method, path] = place.split(' ') as [PlatformRoute['method'], string];
    const ofPath = pathParameters(path);
    const isList = entry.response.kind === 'json' && entry.response.body.endsWith('Page');
    const parameters = [...ofPath, ...own, ...(isList ? PAGING : [])];
    const hasKey = own.includes(IDEMPOTENCY_KEY);
    const invalidParameter: readonly ProblemCode[] = parameters.length > 0 ? ['invalid-parameter'] : [];
    const byMethod = method === 'GET' ? 'safe' : 'by-content';
    return {
      method,
      path,
      tag,
      allowed,
      idempotency: hasKey ? 'key' : byMethod,
      ...entry,
      parameters,
      problems: [
        // Those of the token endpoint are no problem documents.
        ...(entry.request !== undefined && allowed.length > 0 ? BODY_PROBLEMS : []),
        ...(hasKey ? KEY_PROBLEMS : invalidParameter),
        ...(ofPath.length > 0 ? (['not-found'] as const) : []),
        ...(entry.problems ?? []),
      ],
    };
  });
}

/** Every operation of the platform. */
export const PLATFORM_ROUTES: readonly PlatformRoute[] = [
  ...routes('Tokens', [], {
    'POST /oauth/token': {
      operationId: 'issueToken',
      summary: 'Get a token for calls to the platform',
      description:
        'Client credentials, with a JWT that the client signed in place of a password (RFC 6749 section 4.4, RFC 7523). An assertion is used once: the platform remembers its `jti`. Errors are those of RFC 6749 section 5.2, not problem documents.',
      request: { kind: 'form', body: 'TokenRequest' },
      response: answered(200, 'TokenAnswer', 'A token.'),
      refusals: [
        {
          status: 400,
          body: 'TokenRefusal',
          description: 'The request is malformed, or asks for something that the client may not have.',
        },
        { status: 401, body: 'TokenRefusal', description: 'The assertion is not accepted.' },
      ],
    },
  }),
  ...routes('Call records', ['carrier'], {
    'POST /v1/record-batches': {
      operationId: 'sendRecordBatch',
      summary: 'Stream call records',
      description:
        'One shared record per line, as JSON, compressed, with the attributes of a CloudEvent in `ce-` fields (binary mode); `Idempotency-Key` is `ce-id`. `recordId` identifies a record: a record that the platform already has counts as accepted. The answer lists the records that it rejects; the rest are stored.',
      parameters: [
        IDEMPOTENCY_KEY,
        inHeader('Content-Encoding', 'How the body is compressed.', ['gzip', 'br']),
        inHeader('ce-specversion', 'Version of CloudEvents.', ['1.0']),
        inHeader('ce-id', 'Of the batch: the same octets have the same id.', 'identifier'),
        inHeader('ce-source', 'URI reference of the sender.', 'line'),
        inHeader('ce-type', 'Kind of event.', ['org.hopback.call-records.1']),
        inHeader('ce-time', 'When the batch was made.', 'utc-time'),
      ],
      request: { kind: 'lines', line: 'SharedRecord' },
      response: answered(200, 'RecordBatchAnswer', 'What was stored, and what will not be.'),
      idempotency: 'by-content',
    },
  }),
  ...routes('Traceback requests', ['carrier'], {
    'GET /v1/traceback-requests': {
      operationId: 'listTracebackRequests',
      summary: 'List requests to the calling provider',
      description:
        'Oldest first. Polling with `state=open` needs no inbound port and returns every open request, including acknowledged ones. It does not report cancellations.',
      parameters: [
        inQuery('state', 'Only in this state; default `open`, requests without an answer.', [
          'open',
          'answered',
          'all',
        ]),
      ],
      response: answered(
        200,
        'TracebackRequestStatusPage',
        'Requests with the acknowledgements and answers that were given to them.',
      ),
    },
    'GET /v1/traceback-requests/{requestId}': {
      operationId: 'fetchTracebackRequest',
      summary: 'Fetch one request to the calling provider',
      description: 'This answer is authoritative, whatever events said and in whatever order they arrived.',
      response: answered(
        200,
        'TracebackRequestStatus',
        'The request with the acknowledgements and answers that were given to it.',
      ),
    },
    'POST /v1/traceback-requests/{requestId}/acknowledgement': {
      operationId: 'acknowledgeTracebackRequest',
      summary: 'Say that a request has arrived',
      description:
        'The first acknowledgement counts; further ones change nothing. An acknowledgement is not an answer and does not stop the deadline.',
      request: json('RequestAcknowledgement'),
      response: answered(200, 'TracebackRequestStatus', 'The request as it stands now.'),
      problems: ['request-cancelled'],
    },
    'POST /v1/traceback-requests/{requestId}/answers': {
      operationId: 'answerTracebackRequest',
      summary: 'Answer a request',
      description:
        'The answer is a compact JWS over a `TracebackAnswer`, so that it cannot be denied. The platform stores it and answers with a receipt that it signed itself. The same JWS sent again gets the same receipt; a different JWS with the same `answerId` is refused with `conflict`. To correct an answer, send one with the next `revision`.',
      parameters: [IDEMPOTENCY_KEY],
      request: json('AnswerSubmission'),
      response: answered(201, 'SignedReceipt', 'The answer is stored.'),
      problems: [
        'conflict',
        'request-cancelled',
        'answer-signature-invalid',
        'answer-mismatch',
        'answer-out-of-sequence',
      ],
    },
    'GET /v1/traceback-requests/{requestId}/answers/{answerId}/receipt': {
      operationId: 'fetchAnswerReceipt',
      summary: 'Fetch the receipt of an answer once more',
      description:
        'For a client that sent an answer but did not read the response: `not-found` means that the answer is not stored.',
      response: answered(200, 'SignedReceipt', 'The receipt, the same as at first.'),
    },
  }),
  ...routes('Notices', ['carrier', 'staff'], {
    'GET /v1/notices': {
      operationId: 'listNotices',
      summary: "List the Commission's notices to the calling provider",
      description:
        'Notices of suspected illegal traffic (47 CFR 64.1200(n)), newest first, with the responses that were given.',
      response: answered(200, 'FccNoticePage', 'Notices.'),
    },
    'POST /v1/notices/{noticeId}/responses': {
      operationId: 'respondToNotice',
      summary: 'Respond to a notice',
      description:
        'First what was done, within 48 hours; then what was found, within 14 days. `responseId` identifies repeats.',
      allowed: ['carrier'],
      request: json('NoticeResponse'),
      response: answered(201, 'FccNotice', 'The notice with the response.'),
      problems: ['conflict'],
    },
  }),
  ...routes('Tracebacks', ['carrier', 'agency', 'staff'], {
    'POST /v1/tracebacks': {
      operationId: 'openTraceback',
      role: 'analyst',
      summary: 'Open a traceback of one call',
      description: 'The platform asks the first provider, then follows each answer to the next one.',
      parameters: [IDEMPOTENCY_KEY],
      request: json('TracebackOpening'),
      response: answered(201, 'Traceback', 'The traceback.'),
    },
    'GET /v1/tracebacks': {
      operationId: 'listTracebacks',
      summary: 'List tracebacks',
      description:
        'Newest first. Staff see all tracebacks. Other clients see those that they opened or in which they are a hop. The provider that a hop names is shown only to the providers on both sides of the hand-off and to staff; an agency sees it if a reviewed demand covers it.',
      parameters: [
        inQuery('state', 'Only in this state; default all.', ['open', 'closed', 'withdrawn']),
        inQuery('campaignId', 'Of this campaign only.', 'identifier'),
      ],
      response: answered(200, 'TracebackPage', 'Tracebacks.'),
    },
    'GET /v1/tracebacks/{tracebackId}': {
      operationId: 'fetchTraceback',
      summary: 'Fetch one traceback',
      description: 'Hop by hop, as far as the caller may see them.',
      response: answered(200, 'Traceback', 'The traceback.'),
    },
  }),
  ...routes('App reports', ['app'], {
    'POST /v1/app-reports': {
      operationId: 'reportCall',
      summary: 'Report a call that an application took for a robocall',
      description:
        "`reportId` is assigned by the application and identifies repeats. The subscriber's number may be a pseudonym.",
      request: json('AppReport'),
      response: answered(202, 'AppReportReceipt', 'The report is stored.'),
      problems: ['conflict'],
    },
  }),
  ...routes('Providers', ['carrier', 'agency', 'staff'], {
    'GET /v1/providers': {
      operationId: 'listProviders',
      summary: 'List the registry of providers',
      description: 'By business name. All parameters must match.',
      parameters: [
        inQuery('name', 'Part of the business name, of a previous or of another name; without regard to case.', 'line'),
        inQuery('frn', 'FCC Registration Number.', 'frn'),
        inQuery('ocn', 'Operating Company Number.', 'ocn'),
        inQuery('spc', 'Service Provider Code.', 'spc'),
        inQuery('changedSince', 'Changed at this time or later.', 'utc-time'),
      ],
      response: answered(200, 'ProviderEntryPage', 'Providers.'),
    },
    'GET /v1/providers/{providerId}': {
      operationId: 'fetchProvider',
      summary: 'Fetch one provider',
      description: 'What it filed in the Robocall Mitigation Database (47 CFR 64.6305), and its other identifiers.',
      response: answered(200, 'ProviderEntry', 'The provider.'),
    },
    'GET /v1/providers/{providerId}/scorecard': {
      operationId: 'fetchProviderScorecard',
      summary: 'Fetch how a provider answers',
      description: 'Rates and reasons over a stretch of time. A carrier sees its own.',
      parameters: [
        inQuery('from', 'Start of the period; default 365 days before its end.', 'utc-time'),
        inQuery('to', 'End of the period (exclusive); default now.', 'utc-time'),
      ],
      response: answered(200, 'ProviderScorecard', 'The scorecard.'),
    },
  }),
  ...routes('Do not originate', ['carrier', 'app', 'staff'], {
    'GET /v1/do-not-originate': {
      operationId: 'listDoNotOriginate',
      summary: 'List do-not-originate numbers',
      description: 'Ordered by last change. With `changedSince`, only newer entries, including withdrawn ones.',
      parameters: [inQuery('changedSince', 'Changed at this time or later.', 'utc-time')],
      response: answered(200, 'DoNotOriginateEntryPage', 'Entries of the list.'),
    },
  }),
  ...routes('Campaigns and alerts', ['carrier', 'app', 'agency', 'staff'], {
    'GET /v1/campaigns': {
      operationId: 'listCampaigns',
      summary: 'List campaigns',
      description: 'Latest call first.',
      parameters: [inQuery('state', 'Only in this state; default all.', ['live', 'dormant', 'closed'])],
      response: answered(200, 'CampaignPage', 'Campaigns.'),
    },
    'GET /v1/campaigns/{campaignId}': {
      operationId: 'fetchCampaign',
      summary: 'Fetch one campaign',
      description: 'Providers and tracebacks are shown to agencies and staff; to others the lists are empty.',
      response: answered(200, 'Campaign', 'The campaign.'),
    },
    'GET /v1/alerts': {
      operationId: 'listAlerts',
      summary: 'List alerts to the calling organization',
      description: 'Newest first.',
      allowed: ['carrier', 'agency', 'staff'],
      parameters: [inQuery('state', 'Only in this state; default all.', ['unacknowledged', 'acknowledged'])],
      response: answered(200, 'AlertPage', 'Alerts.'),
    },
    'POST /v1/alerts/{alertId}/acknowledgement': {
      operationId: 'acknowledgeAlert',
      summary: 'Acknowledge an alert',
      description: 'The first acknowledgement of an organization counts; further ones change nothing.',
      allowed: ['carrier', 'agency', 'staff'],
      request: json('AlertAcknowledgement'),
      response: answered(200, 'Alert', 'The alert as it stands now.'),
    },
  }),
  ...routes('Demands and productions', ['agency', 'staff'], {
    'POST /v1/demands': {
      operationId: 'submitDemand',
      summary: 'Submit a subpoena, civil investigative demand or court order',
      description:
        'Two parts: `demand`, the scope in structured form, and `document`, the PDF of at most 20 MiB. If they differ, the reviewer follows the document. Nothing is produced before a decision.',
      parameters: [IDEMPOTENCY_KEY],
      request: { kind: 'json-and-pdf', jsonPart: 'demand', body: 'DemandSubmission', pdfPart: 'document' },
      response: answered(201, 'Demand', 'The demand, under review.'),
      problems: ['document-unreadable', 'scope-unusable'],
    },
    'GET /v1/demands': {
      operationId: 'listDemands',
      summary: 'List demands',
      description: 'Newest first: those of the calling agency; all of them for staff.',
      parameters: [
        inQuery('state', 'Only in this state; default all.', [
          'under-review',
          'approved',
          'narrowed',
          'rejected',
          'produced',
          'withdrawn',
        ]),
      ],
      response: answered(200, 'DemandPage', 'Demands.'),
    },
    'GET /v1/demands/{demandId}': {
      operationId: 'fetchDemand',
      summary: 'Fetch one demand',
      description: 'With the decisions about it and the productions under it.',
      response: answered(200, 'Demand', 'The demand.'),
    },
    'POST /v1/demands/{demandId}/decisions': {
      operationId: 'decideDemand',
      role: 'reviewer',
      summary: 'Approve, narrow or reject a demand',
      description: 'By a reviewer of the traceback group, with the reason that the agency is told.',
      allowed: ['staff'],
      parameters: [IDEMPOTENCY_KEY],
      request: json('DemandDecisionRequest'),
      response: answered(201, 'Demand', 'The demand with the decision.'),
      problems: ['demand-not-open', 'scope-unusable'],
    },
    'GET /v1/productions/{productionId}': {
      operationId: 'fetchProduction',
      summary: 'Fetch what is in a production',
      description: 'Its files with their hashes.',
      response: answered(200, 'Production', 'The production.'),
    },
    'GET /v1/productions/{productionId}/files/{name}': {
      operationId: 'fetchProductionFile',
      role: 'reviewer',
      summary: 'Fetch one file of a production',
      description: 'The bytes whose SHA-256 the production states.',
      response: { kind: 'file', status: 200, description: 'The file.' },
      problems: ['production-not-ready', 'gone'],
    },
  }),
  ...routes('Events', ['carrier', 'app', 'agency', 'staff'], {
    'POST /v1/webhook-endpoints': {
      operationId: 'createWebhookEndpoint',
      summary: 'Have events posted to an address',
      description:
        'Signed after Standard Webhooks. The secret is shown in this response and never again. Redirects are not followed; 410 disables the endpoint.',
      parameters: [IDEMPOTENCY_KEY],
      request: json('WebhookEndpointCreation'),
      response: answered(201, 'CreatedWebhookEndpoint', 'The endpoint with its secret.'),
      problems: ['webhook-url-refused'],
    },
    'GET /v1/webhook-endpoints': {
      operationId: 'listWebhookEndpoints',
      summary: 'List addresses that events are posted to',
      description: 'Those of the calling organization, without their secrets.',
      response: answered(200, 'WebhookEndpointPage', 'Endpoints.'),
    },
    'DELETE /v1/webhook-endpoints/{endpointId}': {
      operationId: 'deleteWebhookEndpoint',
      summary: 'Delete a webhook endpoint',
      description: '`not-found` means that the endpoint no longer exists: for a repeat, the first call worked.',
      response: { kind: 'nothing', status: 204, description: 'There is no such endpoint any longer.' },
    },
    'POST /v1/webhook-endpoints/{endpointId}/rotate-secret': {
      operationId: 'rotateWebhookSecret',
      summary: 'Get a new secret for an endpoint',
      description: 'Until the old one ends, each event is signed with both.',
      parameters: [IDEMPOTENCY_KEY],
      response: answered(200, 'RotatedWebhookSecret', 'The new secret.'),
    },
    'POST /v1/webhook-endpoints/{endpointId}/replay': {
      operationId: 'replayWebhookEvents',
      summary: 'Post past events again',
      description:
        'In their original order and with their original ids, so that receivers recognize repeats. Events are kept for 30 days.',
      parameters: [IDEMPOTENCY_KEY],
      request: json('WebhookReplayRequest'),
      response: answered(202, 'WebhookReplay', 'They will be posted.'),
      problems: ['gone'],
    },
    'GET /v1/events': {
      operationId: 'streamEvents',
      summary: 'Read events as they come',
      description:
        'Server-sent events: `id` is the id of the event, `event` its type, `data` the whole event in one line of JSON, the same as a webhook has. A comment is sent at least every 15 seconds. With `Last-Event-ID`, the stream resumes after that event. `gone` means that the event is no longer kept: list what was missed.',
      parameters: [
        inHeader(
          'Last-Event-ID',
          'Id of the last event that was read. If absent, only new events are sent.',
          'identifier',
          false,
        ),
      ],
      response: {
        kind: 'event-stream',
        status: 200,
        description: 'Events, without an end. Each `data` is an event as the AsyncAPI document of the contract has it.',
      },
      problems: ['gone'],
    },
  }),
];
