import type { ServedRoute } from '../core/index.js';
import { routesOf } from '../domain/wire/routes.js';
import { PAGING, inQuery, inPath } from '@hopback/sdk/internal';

const { read } = routesOf('Audit');

/** Operators' routes of the audit. */
export const AUDIT_ROUTES: readonly ServedRoute[] = [
  read('listAuditRecords', '/v1/audit/entries', {
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
      ...PAGING,
    ],
    answer: ['AuditRecordPage', 'What was done.'],
  }),
  read('fetchAuditRecord', '/v1/audit/entries/{position}', {
    summary: 'Fetch one entry with its proof',
    description:
      'The proof shows that the entry is in the log which the checkpoint signs for. An entry that was changed comes without a proof, with what was signed.',
    parameters: [inPath('position', 'Of the entry, a number.')],
    answer: ['ProvedAuditRecord', 'The entry.'],
  }),
  read('fetchAuditCheckpoint', '/v1/audit/checkpoint', {
    summary: 'Fetch the newest checkpoint',
    description: 'Kept elsewhere, it shows later whether anything was changed or cut off.',
    answer: ['AuditCheckpoint', 'How far the log goes, signed.'],
  }),
  read('fetchAuditConsistency', '/v1/audit/consistency', {
    summary: 'Fetch the proof that one log is the beginning of another',
    description: 'From the entries of a checkpoint that somebody kept to those of a later one.',
    parameters: [
      { ...inQuery('from', 'Entries of the earlier checkpoint, a number.', 'identifier'), isRequired: true },
      inQuery('to', 'Entries of the later one, a number; default all.', 'identifier'),
      inQuery('segment', 'Segment of the log that both are of, a number; default the last.', 'identifier'),
    ],
    answer: ['AuditConsistency', 'The proof.'],
  }),
  read('fetchAuditVerification', '/v1/audit/verification', {
    summary: 'Verify the whole audit',
    description:
      'Checks every signature and hash of the log, and compares each entry with it. One verification runs at a time. A long one returns `running`; repeat the request to wait for the result.',
    answer: ['AuditVerification', 'The result, or `running`.'],
  }),
];
