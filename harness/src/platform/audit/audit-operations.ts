import { DEFAULT_PAGE_ITEMS, jsonAnswer, problemAnswer, type PlatformAnswer } from '@hopback/sdk/platform';
import type { OperationCall, Operations, PlatformContext } from '../core/index.js';
import type { AuditLog, AuditRow } from '../database/index.js';
import type { AuditCheckpoint, AuditConsistency, AuditRecord, ProvedAuditRecord } from './audit-bodies.js';

interface AuditParts {
  readonly context: Pick<PlatformContext, 'database'>;
  readonly log: AuditLog;
}

/** Operations of the audit. They change nothing. */
export const auditOperations = (parts: AuditParts): Operations => ({
  listAuditRecords: (call) => listed(parts, call),
  fetchAuditRecord: (call) => fetched(parts, call),
  fetchAuditCheckpoint: () => checkpointOf(parts),
  fetchAuditConsistency: (call) => consistencyOf(parts, call),
});

async function listed({ context }: AuditParts, { request }: OperationCall): Promise<PlatformAnswer> {
  const { object, action, organizationId, actor, from, to, cursor, limit: stated } = request.parameters;
  const limit = stated === undefined ? DEFAULT_PAGE_ITEMS : Number(stated);
  const before = cursor === undefined ? undefined : countOf(cursor);
  if (cursor !== undefined && before === undefined) return unfit('cursor');
  let query = context.database.selectFrom('core_audit').selectAll();
  if (object !== undefined) query = query.where('object', '=', object);
  if (action !== undefined) query = query.where('action', '=', action);
  if (organizationId !== undefined) query = query.where('organization_id', '=', organizationId);
  if (actor !== undefined) query = query.where('actor', '=', actor);
  if (from !== undefined) query = query.where('at_ms', '>=', Date.parse(from));
  if (to !== undefined) query = query.where('at_ms', '<', Date.parse(to));
  if (before !== undefined) query = query.where('position', '<', before);
  const rows = await query
    .orderBy('position', 'desc')
    .limit(limit + 1)
    .execute();
  const items = rows.slice(0, limit).map(recordOf);
  const last = items.at(-1);
  const isMore = rows.length > limit && last !== undefined;
  return jsonAnswer({ items, ...(isMore && { nextCursor: String(last.position) }) });
}

async function fetched({ context, log }: AuditParts, { request }: OperationCall): Promise<PlatformAnswer> {
  const position = countOf(request.parameters['position'] ?? '');
  if (position === undefined) return problemAnswer('not-found');
  const row = await context.database
    .selectFrom('core_audit')
    .selectAll()
    .where('position', '=', position)
    .executeTakeFirst();
  if (row === undefined) return problemAnswer('not-found');
  const proved = await log.proofOf(position);
  const answer: ProvedAuditRecord = {
    entry: recordOf(row),
    ...(proved !== undefined && {
      proof: {
        leaf: Buffer.from(proved.octets).toString('utf8'),
        inclusion: proved.inclusion,
        checkpoint: proved.checkpoint,
      },
    }),
  };
  return jsonAnswer(answer);
}

function checkpointOf({ log }: AuditParts): PlatformAnswer {
  const checkpoint = log.checkpoint();
  const answer: AuditCheckpoint = {
    logId: log.logId,
    size: log.size(),
    ...(checkpoint !== undefined && { checkpoint }),
  };
  return jsonAnswer(answer);
}

function consistencyOf({ log }: AuditParts, { request }: OperationCall): PlatformAnswer {
  const { from = '', to } = request.parameters;
  const [size, checkpoint] = [log.size(), log.checkpoint()];
  const fromSize = countOf(from);
  const toSize = to === undefined ? size : countOf(to);
  if (toSize === undefined || toSize > size || checkpoint === undefined) return unfit('to');
  if (fromSize === undefined || fromSize > toSize) return unfit('from');
  const answer: AuditConsistency = { ...log.consistencyProof(fromSize, toSize), checkpoint };
  return jsonAnswer(answer);
}

const unfit = (pointer: string): PlatformAnswer =>
  problemAnswer('invalid-parameter', { errors: [{ pointer, code: 'invalid_value' }] });

/** A number of fifteen digits at most, as text; undefined for any other text. */
const countOf = (text: string): number | undefined => (/^\d{1,15}$/.test(text) ? Number(text) : undefined);

function recordOf(row: AuditRow): AuditRecord {
  const {
    position,
    at_ms: atMs,
    action,
    organization_id: organizationId,
    actor,
    object,
    details,
    leaf_index: leaf,
  } = row;
  return {
    ...{ position, at: new Date(atMs).toISOString(), action, organizationId, actor, object },
    details: details as Readonly<Record<string, unknown>>,
    ...(leaf !== null && { leafIndex: leaf }),
  };
}
