import { randomBytes } from 'node:crypto';
import type { PlatformAnswer } from '@hopback/sdk/internal';
import { problemAnswer, jsonAnswer } from '@hopback/sdk/internal';
import type { Selectable } from 'kysely';
import { sql } from 'kysely';
import type { Operation, OperationCall, Operations, PlatformContext, PlatformTransaction } from '../core/index.js';
import { Acting, actorOf, iso, pageAnswer } from '../database/index.js';
import { textWithoutNumbers } from '../domain/records/mask-numbers.js';
import type { EventSource } from './event-streams.js';
import { isOfWire } from './event-streams.js';
import type { EventsTables } from './events-tables.js';
import { ENDPOINTS, LANES, newLane, tablesOf } from './events-tables.js';
import type { AddressGuardOptions } from './post-webhook.js';
import { guardAddress } from './post-webhook.js';
import type { WireBodies } from '@hopback/sdk/platform';

type CreatedWebhookEndpoint = WireBodies['CreatedWebhookEndpoint'];
type RotatedWebhookSecret = WireBodies['RotatedWebhookSecret'];
type WebhookEndpoint = WireBodies['WebhookEndpoint'];
type WebhookEndpointCreation = WireBodies['WebhookEndpointCreation'];
type WebhookReplay = WireBodies['WebhookReplay'];
type WebhookReplayRequest = WireBodies['WebhookReplayRequest'];

/** Octets of a secret. Standard Webhooks: 24 to 64. */
const SECRET_BYTES = 32;
/** Secrets that are remembered: each opening is an entry of the audit, which one for each event would flood. */
const MAX_REMEMBERED = 20_000;

/** Secrets of endpoints: sealed in the database, remembered while the process lives. */
export type EndpointSecrets = ReturnType<typeof createEndpointSecrets>;

/** What sealed values of an endpoint belong to. */
export const ownerOf = (endpointId: string): string => `webhook-endpoint:${endpointId}`;

/** Makes the secrets. */
export function createEndpointSecrets({ sealed, transact }: PlatformContext) {
  const remembered = new Map<string, string>();
  const remember = (reference: string, secret: string): void => {
    remembered.set(reference, secret);
    const [oldest] = remembered.keys();
    if (remembered.size > MAX_REMEMBERED && oldest !== undefined) remembered.delete(oldest);
  };
  return {
    make: async (
      transaction: PlatformTransaction,
      endpointId: string,
    ): Promise<{ readonly secret: string; readonly reference: string }> => {
      const secret = `whsec_${randomBytes(SECRET_BYTES).toString('base64')}`;
      return { secret, reference: await sealed.seal(transaction, secret, ownerOf(endpointId)) };
    },
    /** Secrets by their references, in the order asked for; those that are no longer kept are left out. */
    read: async (
      references: readonly string[],
      { endpointId, organizationId }: { readonly endpointId: string; readonly organizationId: string },
    ): Promise<readonly string[]> => {
      const unknown = references.filter((reference) => !remembered.has(reference));
      if (unknown.length > 0) {
        const reason = { organizationId, actor: 'platform', object: ownerOf(endpointId) };
        const opened = await transact((transaction) => sealed.open(transaction, unknown, reason));
        for (const [reference, secret] of opened) remember(reference, secret);
      }
      return references.flatMap((reference) => remembered.get(reference) ?? []);
    },
  };
}

/** Endpoints of one organization: each event is posted to every one of them. */
export const MAX_ENDPOINTS = 16;
/** Replays of one endpoint that are not done yet. */
const MAX_REPLAYS = 4;
/** How long the old secret signs beside the new one, milliseconds. */
const ROTATION_MS = 86_400_000;
/** How long events are kept, milliseconds: as the contract says. */
const KEPT_MS = 30 * 86_400_000;

/** What operations of endpoints work with. */
export interface EndpointParts {
  readonly context: PlatformContext;
  readonly source: EventSource;
  readonly secrets: EndpointSecrets;
  readonly guard: AddressGuardOptions;
  /** There is a new lane. */
  readonly wake: () => void;
}

/** Operations of webhook endpoints: each organization sees its own. */
export function endpointOperations(parts: EndpointParts): Operations {
  const { context, wake } = parts;
  const ofEndpoint =
    (run: (work: Acting, row: EndpointRow, call: OperationCall) => Promise<PlatformAnswer>): Operation =>
    (call) =>
      context.transact(async (transaction) => {
        const row = await ENDPOINTS.get(transaction, call.request.parameters['endpointId'] ?? '');
        if (row?.organization_id !== call.caller.organizationId) return problemAnswer('not-found');
        return run(new Acting(context, transaction, actorOf(call)), row, call);
      });
  const replayed = ofEndpoint(replay);
  return {
    createWebhookEndpoint: (call) => create(parts, call),
    listWebhookEndpoints: (call) => list(parts, call),
    deleteWebhookEndpoint: ofEndpoint(remove),
    rotateWebhookSecret: ofEndpoint((work, row, call) => rotate(work, row, call, parts.secrets)),
    replayWebhookEvents: async (call) => {
      const answer = await replayed(call);
      wake();
      return answer;
    },
  };
}

type EndpointRow = Selectable<EventsTables['events_endpoints']>;

function endpointOf(row: EndpointRow): WebhookEndpoint {
  return {
    endpointId: row.endpoint_id,
    url: row.url,
    ...(row.event_types !== null && { eventTypes: row.event_types }),
    ...(row.description !== null && { description: row.description }),
    state: row.state,
    ...(row.disabled_reason !== null && { disabledReason: row.disabled_reason }),
    createdAt: iso(row.created_at_ms),
    ...(row.last_delivered_at_ms !== null && { lastDeliveredAt: iso(row.last_delivered_at_ms) }),
  };
}

async function create(
  { context, source, secrets, guard, wake }: EndpointParts,
  call: OperationCall,
): Promise<PlatformAnswer> {
  const { url, eventTypes, description } = call.request.body as WebhookEndpointCreation;
  // A name that has no address yet may have one when there is something to post.
  if ((await guardAddress(url, guard)).status === 'refused') return problemAnswer('webhook-url-refused');
  const { organizationId } = call.caller;
  const position = await source.newestPosition();
  const answer = await context.transact(async (transaction) => {
    const there = await tablesOf(transaction)
      .selectFrom('events_endpoints')
      .select('endpoint_id')
      .where('organization_id', '=', organizationId)
      .execute();
    if (there.length >= MAX_ENDPOINTS)
      return problemAnswer('rate-limited', {
        retryAfterSeconds: 3_600,
        detail: `An organization has ${MAX_ENDPOINTS} endpoints at most.`,
      });
    const endpointId = context.newId('whe');
    const { secret, reference } = await secrets.make(transaction, endpointId);
    const row: EndpointRow = {
      endpoint_id: endpointId,
      organization_id: organizationId,
      url,
      event_types: eventTypes ?? null,
      description: description === undefined ? null : textWithoutNumbers(description),
      state: 'active',
      disabled_reason: null,
      created_at_ms: call.atMs,
      last_delivered_at_ms: null,
      secret: reference,
      previous_secret: null,
      previous_ends_at_ms: null,
    };
    await ENDPOINTS.add(transaction, { ...row, event_types: typesText(eventTypes) });
    const lane = newLane(context.newId('lane'), endpointId, call.atMs);
    await LANES.add(transaction, { ...lane, kind: 'live', position });
    const work = new Acting(context, transaction, actorOf(call));
    await work.audit('webhook-endpoint.created', ownerOf(endpointId));
    const created: CreatedWebhookEndpoint = { ...endpointOf(row), secret };
    return jsonAnswer(created);
  });
  wake();
  return answer;
}

/** Kinds of event as a column takes them; null stands for all. */
const typesText = (types: readonly string[] | undefined): string | null =>
  types === undefined ? null : JSON.stringify(types);

function list({ context }: EndpointParts, call: OperationCall): Promise<PlatformAnswer> {
  const query = tablesOf(context.database)
    .selectFrom('events_endpoints')
    .selectAll()
    .where('organization_id', '=', call.caller.organizationId);
  return pageAnswer(query, { call, by: { endpoint_id: 'string' }, order: 'asc' }, (rows) => rows.map(endpointOf));
}

async function remove(work: Acting, { endpoint_id: endpointId }: EndpointRow): Promise<PlatformAnswer> {
  const { context, transaction } = work;
  await ENDPOINTS.remove(transaction, endpointId);
  await context.sealed.forget(transaction, ownerOf(endpointId));
  await work.audit('webhook-endpoint.deleted', ownerOf(endpointId));
  return { kind: 'nothing' };
}

async function rotate(
  work: Acting,
  { endpoint_id: endpointId, secret: before }: EndpointRow,
  { atMs }: OperationCall,
  secrets: EndpointSecrets,
): Promise<PlatformAnswer> {
  const { secret, reference } = await secrets.make(work.transaction, endpointId);
  const endsAtMs = atMs + ROTATION_MS;
  const changed = { secret: reference, previous_secret: before, previous_ends_at_ms: endsAtMs };
  await ENDPOINTS.set(work.transaction, endpointId, changed);
  await work.audit('webhook-endpoint.secret-rotated', ownerOf(endpointId));
  const answer: RotatedWebhookSecret = { endpointId, secret, previousSecretEndsAt: iso(endsAtMs) };
  return jsonAnswer(answer);
}

async function replay(work: Acting, endpoint: EndpointRow, call: OperationCall): Promise<PlatformAnswer> {
  const { context, transaction } = work;
  const { since, until, eventTypes } = call.request.body as WebhookReplayRequest;
  const [fromMs, toMs] = [Date.parse(since), until === undefined ? call.atMs : Date.parse(until)];
  const { endpoint_id: endpointId, organization_id: organizationId } = endpoint;
  if (fromMs < call.atMs - KEPT_MS) return problemAnswer('gone');
  const tables = tablesOf(transaction);
  const replays = await tables
    .selectFrom('events_lanes')
    .select('lane_id')
    .where('endpoint_id', '=', endpointId)
    .where('kind', '=', 'replay')
    .execute();
  if (replays.length >= MAX_REPLAYS)
    return problemAnswer('rate-limited', {
      retryAfterSeconds: 60,
      detail: 'Other replays of this endpoint are not done yet.',
    });
  const types = await tables
    .selectFrom('core_events')
    .select([
      'type',
      sql<number>`count(*)::int`.as('count'),
      sql<number>`min(position)`.as('first'),
      sql<number>`max(position)`.as('last'),
    ])
    .where('at_ms', '>=', fromMs)
    .where('at_ms', '<=', toMs)
    .where(sql<boolean>`audience @> ${JSON.stringify([organizationId])}::jsonb`)
    .groupBy('type')
    .execute();
  const isAsked = (type: string, asked: readonly string[] | null | undefined): boolean => asked?.includes(type) ?? true;
  const wanted = types.filter(
    ({ type }) => isOfWire({ type }) && isAsked(type, eventTypes) && isAsked(type, endpoint.event_types),
  );
  const found = wanted.reduce((sum, { count }) => sum + count, 0);
  const isPosted = endpoint.state === 'active';
  if (found > 0 && isPosted)
    await LANES.add(transaction, {
      ...newLane(context.newId('lane'), endpointId, call.atMs),
      kind: 'replay',
      position: Math.min(...wanted.map(({ first }) => first)) - 1,
      until_position: Math.max(...wanted.map(({ last }) => last)),
      event_types: typesText(eventTypes),
    });
  await work.audit('webhook-endpoint.replayed', ownerOf(endpointId), { events: found });
  const answered: WebhookReplay = { endpointId, events: isPosted ? found : 0 };
  return jsonAnswer(answered);
}
