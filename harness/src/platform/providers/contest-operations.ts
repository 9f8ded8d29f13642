import { jsonAnswer, problemAnswer } from '@hopback/sdk/platform';
import type { PlatformAnswer } from '@hopback/sdk/platform';
import { sql } from 'kysely';
import type { Selectable } from 'kysely';
import type { OperationCall, Operations, PlatformContext, RequestOutcome } from '../core/index.js';
import { textWithoutNumbers } from '../domain/records/index.js';
import { bodyOf, limitOf, pageOf, pathOf, timePlaceOf, wrongBody, wrongParameter } from './lists.js';
import type { Contest, ContestDecision, ContestSubmission, OutageNote } from './provider-bodies.js';
import type { ProviderTables } from './provider-tables.js';
import { isHidden } from './scorecard-operations.js';
import type { ScorecardParts } from './scorecard-operations.js';

/** How far back a request may be that is contested: as far as scorecards reach. */
const MAX_AGE_MS = 5 * 366 * 86_400_000;
/** Contests of one provider that wait for a decision: staff reads each of them. */
const MAX_PENDING = 500;
/** Longest outage that is noted at once: what is longer is written in parts, by somebody who thought of each. */
const MAX_OUTAGE_MS = 7 * 86_400_000;

type ContestRow = Selectable<ProviderTables['providers_contests']>;

/** Operations on objections of providers, and on outages of the platform. */
export function createContestOperations(parts: ScorecardParts): Operations {
  const { context } = parts;
  return {
    contestRequest: (call) => contestRequest(parts, call),
    listProviderContests: (call) => {
      const providerId = pathOf(call, 'providerId');
      return isHidden(call, providerId) ? problemAnswer('not-found') : listContests(context, call, { providerId });
    },
    listContests: (call) => {
      const { state } = call.request.parameters;
      return listContests(context, call, state === undefined ? {} : { state });
    },
    decideContest: (call) => decideContest(context, call),
    noteOutage: (call) => noteOutage(context, call),
    listOutages: (call) => listOutages(context, call),
  };
}

async function outcomeOf(
  outcomes: AsyncIterable<RequestOutcome>,
  requestId: string,
): Promise<RequestOutcome | undefined> {
  for await (const outcome of outcomes) if (outcome.requestId === requestId) return outcome;
  return undefined;
}

async function contestRequest(parts: ScorecardParts, call: OperationCall): Promise<PlatformAnswer> {
  const { context, desk } = parts;
  const providerId = pathOf(call, 'providerId');
  if (isHidden(call, providerId)) return problemAnswer('not-found');
  const { requestId, reason: given } = bodyOf(call) as ContestSubmission;
  const reason = textWithoutNumbers(given);
  const range = { fromMs: call.atMs - MAX_AGE_MS, toMs: call.atMs + 1, providerId };
  return context.transact(async (transaction) => {
    const outcome = await outcomeOf(desk.requestOutcomes(transaction, range), requestId);
    if (outcome === undefined) return problemAnswer('not-found');
    const tables = transaction.withTables<ProviderTables>();
    const there = await tables
      .selectFrom('providers_contests')
      .selectAll()
      .where('request_id', '=', requestId)
      .executeTakeFirst();
    // One contest for each request: what was decided is not asked again in other words.
    if (there !== undefined) return there.reason === reason ? jsonAnswer(contestOf(there)) : problemAnswer('conflict');
    const { pending } = await tables
      .selectFrom('providers_contests')
      .select((row) => row.fn.countAll<number>().as('pending'))
      .where('provider_id', '=', providerId)
      .where('state', '=', 'pending')
      .executeTakeFirstOrThrow();
    if (pending >= MAX_PENDING)
      return problemAnswer('conflict', { detail: 'too many contests of the provider wait for a decision' });
    const row = newContest(context, { call, outcome, reason });
    await tables.insertInto('providers_contests').values(row).execute();
    await context.audit(transaction, {
      action: 'request.contested',
      organizationId: call.caller.organizationId,
      actor: call.caller.clientId,
      object: `contest:${row.contest_id}`,
      details: { requestId },
    });
    return jsonAnswer(contestOf(row));
  });
}

function newContest(
  context: PlatformContext,
  {
    call,
    outcome,
    reason,
  }: { readonly call: OperationCall; readonly outcome: RequestOutcome; readonly reason: string },
): ContestRow {
  return {
    contest_id: context.newId('con'),
    provider_id: outcome.providerId,
    request_id: outcome.requestId,
    issued_at_ms: outcome.issuedAtMs,
    reason,
    state: 'pending',
    contested_at_ms: context.clock.nowMs(),
    contested_by: call.caller.clientId,
    decided_at_ms: null,
    decided_by: null,
    decision_reason: null,
  };
}

function contestOf(row: ContestRow): Contest {
  return {
    contestId: row.contest_id,
    providerId: row.provider_id,
    requestId: row.request_id,
    reason: row.reason,
    state: row.state,
    contestedAt: new Date(row.contested_at_ms).toISOString(),
    ...(row.decided_at_ms !== null && {
      decision: { decidedAt: new Date(row.decided_at_ms).toISOString(), reason: row.decision_reason ?? '' },
    }),
  };
}

async function listContests(
  context: PlatformContext,
  call: OperationCall,
  asked: { readonly providerId?: string; readonly state?: string },
): Promise<PlatformAnswer> {
  const place = timePlaceOf(call);
  if (place === 'invalid') return wrongParameter('cursor');
  const limit = limitOf(call);
  let rows = context.database
    .withTables<ProviderTables>()
    .selectFrom('providers_contests')
    .selectAll()
    .orderBy('contested_at_ms', 'desc')
    .orderBy('contest_id', 'desc')
    .limit(limit + 1);
  if (asked.providerId !== undefined) rows = rows.where('provider_id', '=', asked.providerId);
  if (asked.state !== undefined) rows = rows.where('state', '=', asked.state as ContestRow['state']);
  if (place !== undefined)
    rows = rows.where(sql<boolean>`(contested_at_ms, contest_id) < (${place.atMs}, ${place.id})`);
  return pageOf(await rows.execute(), {
    limit,
    place: (row) => [row.contested_at_ms, row.contest_id],
    item: contestOf,
  });
}

async function decideContest(context: PlatformContext, call: OperationCall): Promise<PlatformAnswer> {
  const { decision, reason: given } = bodyOf(call) as ContestDecision;
  const reason = textWithoutNumbers(given);
  const state = decision === 'uphold' ? 'upheld' : 'rejected';
  return context.transact(async (transaction) => {
    const tables = transaction.withTables<ProviderTables>();
    const there = await tables
      .selectFrom('providers_contests')
      .selectAll()
      .where('contest_id', '=', pathOf(call, 'contestId'))
      .forUpdate()
      .executeTakeFirst();
    if (there === undefined) return problemAnswer('not-found');
    if (there.state !== 'pending') {
      const isSame = there.state === state && there.decision_reason === reason;
      return isSame ? jsonAnswer(contestOf(there)) : problemAnswer('conflict');
    }
    const decided = {
      state,
      decided_at_ms: context.clock.nowMs(),
      decided_by: call.caller.clientId,
      decision_reason: reason,
    } as const;
    await tables.updateTable('providers_contests').set(decided).where('contest_id', '=', there.contest_id).execute();
    await context.audit(transaction, {
      action: 'contest.decided',
      organizationId: call.caller.organizationId,
      actor: call.caller.clientId,
      object: `contest:${there.contest_id}`,
      details: { state, requestId: there.request_id, providerId: there.provider_id },
    });
    return jsonAnswer(contestOf({ ...there, ...decided }));
  });
}

async function noteOutage(context: PlatformContext, call: OperationCall): Promise<PlatformAnswer> {
  const { from, to, reason: given } = bodyOf(call) as OutageNote;
  const reason = textWithoutNumbers(given);
  const [fromMs, toMs] = [Date.parse(from), Date.parse(to)];
  if (toMs <= fromMs || toMs - fromMs > MAX_OUTAGE_MS) return wrongBody('/to', 'not-a-stretch');
  if (toMs > call.atMs) return wrongBody('/to', 'in-the-future');
  return context.transact(async (transaction) => {
    const tables = transaction.withTables<ProviderTables>();
    const there = await tables
      .selectFrom('providers_outages')
      .select('outage_id')
      .where('from_ms', '=', fromMs)
      .where('to_ms', '=', toMs)
      .where('reason', '=', reason)
      .executeTakeFirst();
    if (there !== undefined) return jsonAnswer({ outageId: there.outage_id, from, to, reason });
    const outageId = context.newId('out');
    await tables
      .insertInto('providers_outages')
      .values({ outage_id: outageId, from_ms: fromMs, to_ms: toMs, reason, actor: call.caller.clientId })
      .execute();
    await context.audit(transaction, {
      action: 'outage.noted',
      organizationId: call.caller.organizationId,
      actor: call.caller.clientId,
      object: `outage:${outageId}`,
      details: { from, to },
    });
    return jsonAnswer({ outageId, from, to, reason });
  });
}

async function listOutages(context: PlatformContext, call: OperationCall): Promise<PlatformAnswer> {
  const place = timePlaceOf(call);
  if (place === 'invalid') return wrongParameter('cursor');
  const limit = limitOf(call);
  let rows = context.database
    .withTables<ProviderTables>()
    .selectFrom('providers_outages')
    .selectAll()
    .orderBy('to_ms', 'desc')
    .orderBy('outage_id', 'desc')
    .limit(limit + 1);
  if (place !== undefined) rows = rows.where(sql<boolean>`(to_ms, outage_id) < (${place.atMs}, ${place.id})`);
  return pageOf(await rows.execute(), {
    limit,
    place: (row) => [row.to_ms, row.outage_id],
    item: (row) => ({
      outageId: row.outage_id,
      from: new Date(row.from_ms).toISOString(),
      to: new Date(row.to_ms).toISOString(),
      reason: row.reason,
    }),
  });
}
