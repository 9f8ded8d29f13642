import { valueWithin } from '@hopback/sdk/internal/runtime';
import type { TimerClock } from '@hopback/sdk/platform';
import type { PlatformAnswer } from '@hopback/sdk/internal';
import { problemAnswer, jsonAnswer } from '@hopback/sdk/internal';
import type { AreaDefinition, OperationCall, Operations, PlatformArea, PlatformContext } from '../core/index.js';
import type { AuditEntryState, AuditLog, AuditSegment, AuditVerification } from '../database/index.js';
import type {
  AuditCheckpoint,
  AuditConsistency,
  AuditRecord,
  AuditSegmentRecord,
  AuditVerificationRecord,
  ProvedAuditRecord,
} from './audit-bodies.js';
import { AUDIT_SCHEMAS, MAX_SEGMENTS } from './audit-bodies.js';
import { AUDIT_ROUTES } from './audit-routes.js';
import { readPage, shownRows } from '../domain/wire/routes.js';

/** How long a call waits for a result: less than clients and proxies wait for an answer. */
const WAIT_MS = 15_000;
/** A result that nobody fetched is not shown as one of now after this time. */
const RESULT_KEPT_MS = 600_000;
/** Findings that an answer has. */
const SHOWN_FINDINGS = 100;

interface Run {
  readonly startedMs: number;
  endedMs: number | undefined;
  readonly result: Promise<AuditVerificationRecord>;
}

/**
 * Looks through the whole audit for those who ask: one look at a time, which all who ask meanwhile wait for.
 * @returns asks. It rejects as {@link AuditLog.verify}
 */
function createAuditVerifier({
  context: { clock },
  log,
}: {
  readonly context: { readonly clock: TimerClock };
  readonly log: AuditLog;
}): () => Promise<AuditVerificationRecord> {
  let run: Run | undefined;
  const begin = (): Run => {
    const startedMs = clock.nowMs();
    const result = log
      .verify()
      .then((verification) => verificationRecord(verification, { startedMs, endedMs: clock.nowMs() }));
    const begun: Run = { startedMs, endedMs: undefined, result };
    result.then(
      () => (begun.endedMs = clock.nowMs()),
      () => {
        if (run === begun) run = undefined;
      },
    );
    return begun;
  };
  return async () => {
    if (run?.endedMs !== undefined && clock.nowMs() - run.endedMs > RESULT_KEPT_MS) run = undefined;
    const asked = (run ??= begin());
    const running: AuditVerificationRecord = { status: 'running', startedAt: new Date(asked.startedMs).toISOString() };
    const { schedule } = clock;
    const answer = await valueWithin(asked.result, { timeoutMs: WAIT_MS, schedule, late: running });
    // Whoever asks next gets a look of their own.
    if (answer !== running && run === asked) run = undefined;
    return answer;
  };
}

function verificationRecord(
  { findings, checkpoint: _checkpoint, ...figures }: AuditVerification,
  { startedMs, endedMs }: { readonly startedMs: number; readonly endedMs: number },
): AuditVerificationRecord {
  return {
    ...figures,
    startedAt: new Date(startedMs).toISOString(),
    endedAt: new Date(endedMs).toISOString(),
    findings: findings.slice(0, SHOWN_FINDINGS).map((finding) => {
      const leafIndex = finding.in === 'log' ? finding.finding.leafIndex : undefined;
      const at = leafIndex ?? ('leafIndex' in finding ? finding.leafIndex : undefined);
      return {
        segment: finding.segment,
        ...('position' in finding && finding.position !== undefined && { position: finding.position }),
        ...(at !== undefined && { leafIndex: at }),
        kind: finding.in === 'log' ? finding.finding.kind : finding.kind,
      };
    }),
  };
}

interface AuditParts {
  readonly context: Pick<PlatformContext, 'database' | 'clock'>;
  readonly log: AuditLog;
}

/** Operations of the audit. They change nothing. */
function auditOperations(parts: AuditParts): Operations {
  const verifying = createAuditVerifier(parts);
  return {
    listAuditRecords: (call) => listed(parts, call),
    fetchAuditRecord: (call) => fetched(parts, call),
    fetchAuditCheckpoint: () => checkpointOf(parts),
    fetchAuditConsistency: (call) => consistencyOf(parts, call),
    fetchAuditVerification: async () => jsonAnswer(await verifying()),
  };
}

async function listed({ context, log }: AuditParts, call: OperationCall): Promise<PlatformAnswer> {
  const page = readPage(call, ['number']);
  if ('kind' in page) return page;
  const { after, limit } = page;
  const { object, action, organizationId, actor, from, to } = call.request.parameters;
  let query = context.database.selectFrom('core_audit').selectAll();
  if (object !== undefined) query = query.where('object', '=', object);
  if (action !== undefined) query = query.where('action', '=', action);
  if (organizationId !== undefined) query = query.where('organization_id', '=', organizationId);
  if (actor !== undefined) query = query.where('actor', '=', actor);
  if (from !== undefined) query = query.where('at_ms', '>=', Date.parse(from));
  if (to !== undefined) query = query.where('at_ms', '<', Date.parse(to));
  if (after !== undefined) query = query.where('position', '<', after[0]);
  const rows = await query
    .orderBy('position', 'desc')
    .limit(limit + 1)
    .execute();
  const { shown, next } = shownRows(rows, limit, (row) => [row.position]);
  return jsonAnswer({ items: (await log.statesOf(shown)).map(recordOf), ...next });
}

async function fetched({ context, log }: AuditParts, { request }: OperationCall): Promise<PlatformAnswer> {
  const position = countOf(request.parameters['position'] ?? '');
  if (position === undefined) return problemAnswer('not-found');
  // Brought to the log first, so that an entry of just now has its proof.
  const proved = await log.proofOf(position);
  const row = await context.database
    .selectFrom('core_audit')
    .selectAll()
    .where('position', '=', position)
    .executeTakeFirst();
  const state = row === undefined ? await log.deletedEntry(position) : (await log.statesOf([row]))[0];
  if (state === undefined) return problemAnswer('not-found');
  const answer: ProvedAuditRecord = {
    entry: recordOf(state),
    ...(state.integrity === 'changed' && { signed: signedRecord(state) }),
    ...(state.integrity === 'signed' &&
      proved?.inclusion.leafIndex === state.leafIndex && {
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
  const segments = log.segments();
  const answer: AuditCheckpoint = {
    logId: log.logId(),
    segment: segments.at(-1)?.number ?? 1,
    size: log.size(),
    ...(checkpoint !== undefined && { checkpoint }),
    segments: segments.slice(-MAX_SEGMENTS).map(segmentRecord),
  };
  return jsonAnswer(answer);
}

function segmentRecord({ number, logId, log, afterPosition, link }: AuditSegment): AuditSegmentRecord {
  const checkpoint = log?.checkpoint;
  return {
    segment: number,
    logId,
    size: log?.size ?? 0,
    afterPosition,
    ...(checkpoint !== undefined && { checkpoint }),
    ...(link !== undefined && {
      link: {
        at: new Date(link.atMs).toISOString(),
        brokenAt: link.brokenAt,
        kind: link.kind,
        previous: link.previous,
      },
    }),
  };
}

function consistencyOf({ log }: AuditParts, { request }: OperationCall): PlatformAnswer {
  const { from = '', to, segment: stated } = request.parameters;
  const number = stated === undefined ? undefined : countOf(stated);
  const segment = stated === undefined ? log.segments().at(-1) : log.segments().find((one) => one.number === number);
  if (segment?.log === undefined) return unfit('segment');
  const { size, checkpoint } = segment.log;
  const fromSize = countOf(from);
  const toSize = to === undefined ? size : countOf(to);
  if (toSize === undefined || toSize > size || checkpoint === undefined) return unfit('to');
  if (fromSize === undefined || fromSize > toSize) return unfit('from');
  const answer: AuditConsistency = { ...segment.log.consistencyProof(fromSize, toSize), checkpoint };
  return jsonAnswer(answer);
}

const unfit = (pointer: string): PlatformAnswer =>
  problemAnswer('invalid-parameter', { errors: [{ pointer, code: 'invalid_value' }] });

/** A number of fifteen digits at most, as text; undefined for any other text. */
const countOf = (text: string): number | undefined => (/^\d{1,15}$/.test(text) ? Number(text) : undefined);

function recordOf(state: AuditEntryState): AuditRecord {
  if (state.integrity === 'deleted') return { ...signedRecord(state), integrity: 'deleted' };
  const { row, integrity } = state;
  const { at_ms: atMs, organization_id: organizationId } = row;
  const leaf = 'leafIndex' in state && { leafIndex: state.leafIndex };
  return { ...entryOf({ ...row, atMs, organizationId }), ...leaf, integrity };
}

/** What the log has of an entry. */
function signedRecord({ signed, leafIndex }: SignedEntry): AuditRecord {
  return { ...entryOf(signed), leafIndex, integrity: 'signed' };
}

type SignedEntry = Extract<AuditEntryState, { readonly integrity: 'changed' | 'deleted' }>;

function entryOf(entry: Omit<SignedEntry['signed'], 'format'>): Omit<AuditRecord, 'leafIndex' | 'integrity'> {
  const { position, atMs, action, organizationId, actor, object, details } = entry;
  return {
    position,
    at: new Date(atMs).toISOString(),
    action,
    organizationId,
    actor,
    object,
    details: details as Readonly<Record<string, unknown>>,
  };
}

/** How often the end of the audit is compared with its log while the platform runs, milliseconds. */
const CHECK_EVERY_MS = 600_000;

/** The audit has no tables but those of the core. */
export const auditDefinition: AreaDefinition = { name: 'audit', migrations: [] };

/**
 * Makes the area in which operators read the audit, with proofs of its Merkle log.
 * @param context - of the platform
 * @param ports - the log, which stays open when the area is closed
 */
export function createAuditArea(context: PlatformContext, ports: { readonly log: AuditLog }): PlatformArea {
  return {
    name: auditDefinition.name,
    routes: AUDIT_ROUTES,
    schemas: AUDIT_SCHEMAS,
    operations: auditOperations({ context, log: ports.log }),
    jobs: [{ name: 'audit.check', everyMs: CHECK_EVERY_MS, run: async () => void (await ports.log.check()) }],
    reactions: {},
    notices: () => {
      const broken = ports.log.broken();
      return broken === undefined ? [] : [{ text: `audit: broken at ${broken.position}`, isWarning: true }];
    },
  };
}
