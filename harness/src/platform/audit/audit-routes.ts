import type { RouteParameter } from '@hopback/sdk/platform';
import type { ServedRoute } from '../core/index.js';

const inQuery = (name: string, description: string, form: RouteParameter['form']): RouteParameter => ({
  name,
  description,
  form,
  in: 'query',
  isRequired: false,
});

/** What every route of the audit has: it is the operators’, and changes nothing. */
const COMMON = { method: 'GET', tag: 'Audit', allowed: ['staff'], idempotency: 'safe' } as const;
const answered = (body: string, description: string): ServedRoute['response'] => ({
  ...{ kind: 'json', status: 200, body, description },
});

/** Operators' routes of the audit. */
export const AUDIT_ROUTES: readonly ServedRoute[] = [
  {
    ...COMMON,
    operationId: 'listAuditRecords',
    path: '/v1/audit/entries',
    summary: 'List what was done',
    description:
      'Newest first. Every parameter narrows it. Each entry is compared with the log: `integrity` says whether it is what was signed.',
    parameters: [
      inQuery('object', 'Object, such as `demand:d-1`.', 'line'),
      inQuery('action', 'Action, such as `demand.decided`.', 'line'),
      inQuery('organizationId', 'Organization.', 'identifier'),
      inQuery('actor', 'Client.', 'identifier'),
      inQuery('from', 'From this time on.', 'utc-time'),
      inQuery('to', 'Before this time.', 'utc-time'),
      inQuery('cursor', 'Start of the page: `nextCursor` of the previous page.', 'cursor'),
      inQuery('limit', 'Items per page, 1 to 500; default 50.', 'page-limit'),
    ],
    response: answered('AuditRecordPage', 'What was done.'),
    problems: ['invalid-parameter'],
  },
  {
    ...COMMON,
    operationId: 'fetchAuditRecord',
    path: '/v1/audit/entries/{position}',
    summary: 'Fetch one entry with its proof',
    description:
      'The proof shows that the entry is in the log which the checkpoint signs for. An entry that was changed comes without a proof, with what was signed.',
    parameters: [
      { name: 'position', in: 'path', form: 'identifier', isRequired: true, description: 'Of the entry, a number.' },
    ],
    response: answered('ProvedAuditRecord', 'The entry.'),
    problems: ['invalid-parameter', 'not-found'],
  },
  {
    ...COMMON,
    operationId: 'fetchAuditCheckpoint',
    path: '/v1/audit/checkpoint',
    summary: 'Fetch the newest checkpoint',
    description: 'Kept elsewhere, it shows later whether anything was changed or cut off.',
    parameters: [],
    response: answered('AuditCheckpoint', 'How far the log goes, signed.'),
    problems: [],
  },
  {
    ...COMMON,
    operationId: 'fetchAuditConsistency',
    path: '/v1/audit/consistency',
    summary: 'Fetch the proof that one log is the beginning of another',
    description: 'From the entries of a checkpoint that somebody kept to those of a later one.',
    parameters: [
      { ...inQuery('from', 'Entries of the earlier checkpoint, a number.', 'identifier'), isRequired: true },
      inQuery('to', 'Entries of the later one, a number; default all.', 'identifier'),
      inQuery('segment', 'Segment of the log that both are of, a number; default the last.', 'identifier'),
    ],
    response: answered('AuditConsistency', 'The proof.'),
    problems: ['invalid-parameter'],
  },
  {
    ...COMMON,
    operationId: 'fetchAuditVerification',
    path: '/v1/audit/verification',
    summary: 'Verify the whole audit',
    description:
      'Checks every signature and hash of the log, and compares each entry with it. One verification runs at a time. A long one returns `running`; repeat the request to wait for the result.',
    parameters: [],
    response: answered('AuditVerification', 'The result, or `running`.'),
    problems: [],
  },
];
