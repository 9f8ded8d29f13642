import { shownTraceback, viewTraceback } from '@hopback/sdk/internal';
import type { RequestFacts, TracebackFacts, TracebackView, TracebackViewer } from '@hopback/sdk/internal';
import type { Traceback } from '@hopback/sdk/platform';
import type { EventToTell } from '../core/index.js';
import type { HeldRequest, HeldTraceback, TracebackWork } from './held-traceback.js';
import { platformReason } from './held-traceback.js';
import type { Batch } from './stored-requests.js';
import { requestOnWire } from './stored-requests.js';
import { iso, sealJson } from '../database/index.js';
import type { OpeningReason } from '../database/index.js';
import { DEFAULT_REQUESTER } from './tracebacks-tables.js';

type RequestEvent = 'org.hopback.traceback-request.reminded.1' | 'org.hopback.traceback-request.cancelled.1';

/** Tells a provider of a request to it. */
export async function tellRequest<Type extends RequestEvent>(
  { context, transaction }: TracebackWork,
  { request_id: subject, provider_id: providerId }: HeldRequest,
  type: Type,
  data: EventToTell<Type>['data'],
): Promise<void> {
  await context.tell(transaction, { type, subject, data, to: [providerId] });
}

/** Whether a deadline has passed of which nobody was told. */
export const isOverdueUntold = ({ state, requests }: HeldTraceback): boolean =>
  viewTraceback(state).path.some((hop) => isOverdue(hop) && requests.get(hop.requestId)?.is_overdue_told === false);

const isOverdue = ({ state }: Pick<TracebackView['path'][number], 'state'>): boolean =>
  state === 'overdue' || state === 'non-responsive';

/** Tells of deadlines that have passed: the provider and staff, once. */
export async function tellOverdue(work: TracebackWork & Batch, held: HeldTraceback): Promise<void> {
  const { context, parts, transaction } = work;
  for (const hop of viewTraceback(held.state).path) {
    const request = held.requests.get(hop.requestId);
    if (!isOverdue(hop)) continue;
    if (request === undefined || request.is_overdue_told) continue;
    request.is_overdue_told = true;
    request.isChanged = true;
    const asking = await requestOnWire(work, request);
    if (asking === undefined) continue;
    const { request_id: subject, traceback_id: tracebackId, provider_id: providerId, due_at_ms: dueAtMs } = asking;
    await context.tell(transaction, {
      type: 'org.hopback.traceback-request.overdue.1',
      subject,
      data: { requestId: subject, tracebackId, dueAt: iso(dueAtMs) },
      to: [providerId, ...(await parts.organizations.staff(transaction))],
    });
  }
}

/** Who looks at tracebacks, as an organization. */
export interface Looking {
  readonly organizationId: string;
  readonly kind: 'staff' | 'carrier' | 'agency';
  /** Tracebacks that a reviewed demand of the agency covers. */
  readonly covered: ReadonlySet<string>;
  readonly reason: OpeningReason;
}

/**
 * Tracebacks as an organization may see them; those of which nothing is left to be shown, and those that are none of its business, are not among
 * them.
 */
export async function shownTracebacks(
  work: TracebackWork,
  held: readonly HeldTraceback[],
  looking: Looking,
): Promise<ReadonlyMap<string, Traceback>> {
  const all = await factsOf(work, held, looking.reason);
  const shown = new Map<string, Traceback>();
  for (const one of held) {
    const facts = all.get(one.row.traceback_id);
    const viewer = facts === undefined ? undefined : await viewerOf(work, one, looking, facts);
    if (facts !== undefined && viewer !== undefined) shown.set(facts.tracebackId, shownTraceback(facts)(viewer));
  }
  return shown;
}

async function viewerOf(
  { texts, transaction }: TracebackWork,
  held: HeldTraceback,
  { organizationId, kind, covered, reason }: Looking,
  facts: TracebackFacts,
): Promise<TracebackViewer | undefined> {
  const isOpener = held.row.opened_by === organizationId;
  if (kind === 'staff') return { kind: 'staff' };
  if (kind === 'agency') {
    if (covered.has(facts.tracebackId)) return { kind: 'agency' };
    return isOpener ? { kind: 'opener' } : undefined;
  }
  const own = [...held.requests.values()].find(({ provider_id: providerId }) => providerId === organizationId);
  if (isOpener) return { kind: 'provider', providerId: organizationId, askedCall: facts.call, isOpener };
  const [request] = own === undefined ? [] : await texts.requests(transaction, [own], reason);
  if (request === undefined) return undefined;
  return { kind: 'provider', providerId: organizationId, askedCall: request.call, isOpener };
}

/** All that is shown of tracebacks to anybody: one statement for what is sealed. */
async function factsOf(
  { texts, transaction }: TracebackWork,
  held: readonly HeldTraceback[],
  reason: OpeningReason,
): Promise<ReadonlyMap<string, TracebackFacts>> {
  const openings = await texts.openings(transaction, held, reason);
  const found = new Map<string, TracebackFacts>();
  for (const [index, { row, state, requests: own }] of held.entries()) {
    const opening = openings[index];
    if (opening === undefined) continue;
    found.set(row.traceback_id, {
      tracebackId: row.traceback_id,
      direction: row.direction,
      view: viewTraceback(state),
      requester: opening.requester ?? DEFAULT_REQUESTER,
      ...(opening.campaign !== undefined && { campaign: opening.campaign }),
      call: opening.call,
      openedAtMs: row.opened_at_ms,
      updatedAtMs: row.updated_at_ms,
      requests: new Map([...own.values()].map((request) => [request.request_id, requestFacts(request)])),
    });
  }
  return found;
}

function requestFacts(request: HeldRequest): RequestFacts {
  const { request_id: requestId, issued_at_ms: issuedAtMs, due_at_ms: dueAtMs } = request;
  const { last_answer_id: answerId, last_answered_at_ms: receivedAtMs } = request;
  return {
    requestId,
    issuedAtMs,
    dueAtMs,
    ...(answerId !== null && receivedAtMs !== null && { lastAnswer: { answerId, receivedAtMs } }),
  };
}

/** Tells each of those whom a traceback concerns where it stands, as far as each may see it: an event of its own for each. */
export async function tellUpdated(work: TracebackWork, held: HeldTraceback): Promise<void> {
  const { context, parts, transaction } = work;
  const { traceback_id: tracebackId, opened_by: openedBy } = held.row;
  const staff = await parts.organizations.staff(transaction);
  // Who joined through another traceback's request does not know of this one.
  const providers = [...held.requests.values()]
    .filter(({ asked_by: askedBy }) => askedBy === null)
    .map(({ provider_id: providerId }) => providerId);
  const isAgency = !staff.includes(openedBy) && (await parts.organizations.agency(transaction, openedBy)) !== undefined;
  const seen = { ...held, row: { ...held.row, updated_at_ms: context.clock.nowMs() } };
  const reason = platformReason(tracebackId);
  const facts = (await factsOf(work, [seen], reason)).get(tracebackId);
  // Nothing is left to be told of a traceback whose call has been removed.
  if (facts === undefined) return;
  const shownTo = shownTraceback(facts);
  const tell = async (to: readonly string[], kind: Looking['kind'], covered: ReadonlySet<string>): Promise<void> => {
    const [organizationId] = to;
    if (organizationId === undefined) return;
    const viewer = await viewerOf(work, seen, { organizationId, kind, covered, reason }, facts);
    if (viewer === undefined) return;
    const value = shownTo(viewer);
    const sealed = await sealJson(context, transaction, { value, belongsTo: `traceback:${tracebackId}` });
    await context.tell(transaction, {
      type: 'org.hopback.traceback.updated.1',
      subject: tracebackId,
      to,
      data: { member: 'traceback', sealed },
    });
  };
  await tell(staff, 'staff', NOTHING);
  if (isAgency) await tell([openedBy], 'agency', await coverage(work, openedBy, [tracebackId]));
  const others = new Set(providers);
  if (!isAgency && openedBy !== 'platform') others.add(openedBy);
  for (const organizationId of others)
    if (!staff.includes(organizationId)) await tell([organizationId], 'carrier', NOTHING);
}

const NOTHING: ReadonlySet<string> = new Set();

/** Which of the tracebacks a reviewed demand of an agency covers. */
export async function coverage(
  { parts, transaction }: TracebackWork,
  agencyId: string,
  tracebackIds: readonly string[],
): Promise<ReadonlySet<string>> {
  return parts.coverage?.covered(transaction, agencyId, tracebackIds) ?? NOTHING;
}
