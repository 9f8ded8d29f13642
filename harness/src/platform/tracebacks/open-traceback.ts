import { HopbackError } from '@hopback/sdk/errors';
import { lifecycleRules, mixedReferenceText, startTraceback } from '@hopback/sdk/traceback';
import type { ProviderReference, TracebackEvent } from '@hopback/sdk/traceback';
import type { OpeningOrder, PlatformTransaction } from '../core/index.js';
import { referenceOf } from './ask-provider.js';
import type { TracebackEngine } from './engine.js';
import type { HeldTraceback } from './held-traceback.js';
import { sealJson } from '../database/index.js';
import type { TracebacksParts } from './tracebacks-parts.js';
import type { TracebacksTables } from './tracebacks-tables.js';

/** Why a traceback cannot be opened. */
export type OpeningFault =
  /** Nobody is named who delivered the call, or who may serve the number, and no record or report says it. */
  | 'no-first-provider'
  /** The record is of nobody that is named. */
  | 'record-without-provider'
  /** It is to be asked in the name of somebody who does not open it. */
  | 'foreign-requester'
  /** The first provider mixes two companies. */
  | 'mixed-provider';

/** A traceback that was opened, now or before. */
export type Opened =
  | {
      readonly status: 'opened';
      readonly tracebackId: string;
      /** Where it was opened now. */
      readonly held?: HeldTraceback;
    }
  | {
      readonly status: 'refused';
      readonly reason: OpeningFault;
      /** For people. */
      readonly detail?: string;
    };

type OpeningParts = TracebacksParts & { readonly engine: TracebackEngine };

/** Opens a traceback, or gives the one that was opened for the same reason. */
export async function openTraceback(
  parts: OpeningParts,
  transaction: PlatformTransaction,
  order: OpeningOrder,
): Promise<Opened> {
  const { context, engine } = parts;
  const { opening, organizationId, actor, reasonKey, campaignId = opening.campaign?.campaignId } = order;
  const known = reasonKey === undefined ? undefined : await openedFor(transaction, reasonKey);
  if (known !== undefined) return { status: 'opened', tracebackId: known };
  const { call, direction } = opening;
  if (!(await mayAskAs(parts, transaction, order))) return { status: 'refused', reason: 'foreign-requester' };
  const named = opening.firstProvider ?? (await servedBy(parts, transaction, opening.reportId));
  if (named === undefined)
    return { status: 'refused', reason: call.recordId === undefined ? 'no-first-provider' : 'record-without-provider' };
  const found = await parts.providers.resolve(transaction, named);
  // The platform itself names by an id alone, and retries what is refused.
  if (organizationId !== 'platform' && found.status === 'several' && found.mixed !== undefined)
    return {
      ...{ status: 'refused', reason: 'mixed-provider' },
      detail: mixedReferenceText('The first provider', found.mixed),
    };
  const tracebackId = context.newId('t');
  const first = found.status === 'found' ? referenceOf(found.provider) : named;
  const atMs = context.clock.nowMs();
  const { state } = startTraceback({
    ...{ tracebackId, atMs, first, direction },
    rules: parts.rules ?? lifecycleRules(),
    ...(call.recordId !== undefined && { sharedRecordId: call.recordId }),
  });
  const requester = opening.requester ?? parts.requester;
  const whole = requester === undefined ? opening : { ...opening, requester };
  const pieces = await sealJson(context, transaction, { value: whole, belongsTo: `traceback:${tracebackId}` });
  engine.texts.note(pieces, whole);
  const held: HeldTraceback = {
    row: {
      ...{ traceback_id: tracebackId, place: 0, direction, campaign_id: campaignId ?? null },
      ...{ opened_by: organizationId, reason_key: reasonKey ?? null, opened_at_ms: atMs, updated_at_ms: atMs },
      ...{ standing: 'open', outcome: null, version: 0, wake_at_ms: null, seeks_neighbours: false },
      ...{ waits: [], opening: pieces },
    },
    requests: new Map(),
    state,
    readState: state,
    isNew: true,
  };
  await engine.conductHeld(transaction, [held], { happenings: [] });
  const details = { direction, ...(campaignId !== undefined && { campaignId }), reasonKey: reasonKey ?? null };
  await context.audit(transaction, {
    ...{ action: 'traceback.opened', organizationId, actor, object: `traceback:${tracebackId}`, details },
  });
  return { status: 'opened', tracebackId, held };
}

/** The traceback group asks for whom it will; an agency in its own name alone; nobody else in anybody's. 47 CFR 64.1200(n)(1) says who may ask. */
async function mayAskAs(
  { organizations }: TracebacksParts,
  transaction: PlatformTransaction,
  { opening: { requester }, organizationId }: OpeningOrder,
): Promise<boolean> {
  if (requester === undefined || organizationId === 'platform') return true;
  const agency = await organizations.agency(transaction, organizationId);
  if (agency !== undefined) return requester.name === agency.name && requester.kind.endsWith('law-enforcement');
  return (await organizations.staff(transaction)).includes(organizationId);
}

async function openedFor(transaction: PlatformTransaction, reasonKey: string): Promise<string | undefined> {
  const row = await transaction
    .withTables<TracebacksTables>()
    .selectFrom('tracebacks_states')
    .select('traceback_id')
    .where('reason_key', '=', reasonKey)
    .executeTakeFirst();
  return row?.traceback_id;
}

/** An application names the provider that serves its subscriber. Reports are told apart by `appId/reportId`. */
async function servedBy(
  { live }: TracebacksParts,
  transaction: PlatformTransaction,
  reportId: string | undefined,
): Promise<ProviderReference | undefined> {
  const [appId, id] = reportId?.split('/') ?? [];
  if (live === undefined || appId === undefined || id === undefined) return undefined;
  const report = await live.report(appId, id, transaction);
  return report?.servedBy === undefined ? undefined : { name: report.servedBy };
}

/** The lifecycle is told of providers as the registry has them. */
export async function registered(
  { providers }: TracebacksParts,
  transaction: PlatformTransaction,
  reference: ProviderReference,
): Promise<ProviderReference> {
  const found = await providers.resolve(transaction, reference);
  return found.status === 'found' ? referenceOf(found.provider) : reference;
}

/** Trace forward: who serves a call-back number is found out in a traceback of its own. */
export async function openForward(
  parts: OpeningParts,
  transaction: PlatformTransaction,
  forward: { readonly held: HeldTraceback; readonly order: OpeningOrder; readonly forwardId: string },
): Promise<Opened> {
  const { held, order, forwardId } = forward;
  const opened = await openTraceback(parts, transaction, order);
  if (opened.status === 'refused') return opened;
  const { tracebackId: forwardTraceback } = opened;
  const frame = { tracebackId: held.row.traceback_id, atMs: parts.context.clock.nowMs() };
  const events: readonly TracebackEvent[] = [
    // The number itself is in what the other traceback was opened with, sealed.
    { type: 'trace-forward-asked', ...frame, forwardId, number: `traceback:${forwardTraceback}`, by: order.actor },
    { type: 'effect-done', ...frame, effectId: `forward:${forwardId}`, reference: forwardTraceback },
  ];
  const { refused } = await parts.engine.conduct(transaction, [{ tracebackId: frame.tracebackId, events }]);
  if (refused === undefined) return opened;
  throw new HopbackError('internal', 'a traceback does not take note of the one that traces forward for it', {
    details: { reason: refused.reason },
  });
}
