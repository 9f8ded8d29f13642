import { randomBytes } from 'node:crypto';
import type {
  CreatedWebhookEndpoint,
  PlatformAnswer,
  RotatedWebhookSecret,
  WebhookEndpoint,
  WebhookEndpointCreation,
  WebhookReplay,
  WebhookReplayRequest,
} from '@hopback/sdk/platform';
import { DEFAULT_PAGE_ITEMS, jsonAnswer, problemAnswer } from '@hopback/sdk/platform';
import type { Selectable } from 'kysely';
import { sql } from 'kysely';
import type { OperationCall, Operations, PlatformContext, PlatformTransaction, Reading } from '../core/index.js';
import { textWithoutNumbers } from '../domain/records/mask-numbers.js';
import type { EventSource } from './event-streams.js';
import { isOfWire } from './event-streams.js';
import type { EventsTables } from './events-tables.js';
import type { AddressGuardOptions } from './post-webhook.js';
import { guardAddress } from './post-webhook.js';

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
  return {
    createWebhookEndpoint: (call) => create(parts, call),
    listWebhookEndpoints: (call) => list(parts, call),
    deleteWebhookEndpoint: (call) => remove(parts, call),
    rotateWebhookSecret: (call) => rotate(parts, call),
    replayWebhookEvents: (call) => replay(parts, call),
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
    createdAt: new Date(row.created_at_ms).toISOString(),
    ...(row.last_delivered_at_ms !== null && { lastDeliveredAt: new Date(row.last_delivered_at_ms).toISOString() }),
  };
}

/** One of the caller's; those of others are none. */
async function ownEndpoint(reading: Reading, { caller, request }: OperationCall): Promise<EndpointRow | undefined> {
  return reading
    .withTables<EventsTables>()
    .selectFrom('events_endpoints')
    .selectAll()
    .where('endpoint_id', '=', request.parameters['endpointId'] ?? '')
    .where('organization_id', '=', caller.organizationId)
    .executeTakeFirst();
}

const doneBy = ({ caller }: OperationCall, endpointId: string) =>
  ({ organizationId: caller.organizationId, actor: caller.clientId, object: ownerOf(endpointId) }) as const;

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
    const tables = transaction.withTables<EventsTables>();
    const there = await tables
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
    const row = {
      ...{
        endpoint_id: endpointId,
        organization_id: organizationId,
        url,
        description: description === undefined ? null : textWithoutNumbers(description),
      },
      event_types: eventTypes ?? null,
      ...({ state: 'active', disabled_reason: null, created_at_ms: call.atMs, last_delivered_at_ms: null } as const),
      ...{ secret: reference, previous_secret: null, previous_ends_at_ms: null },
    };
    await tables
      .insertInto('events_endpoints')
      .values({ ...row, event_types: eventTypes === undefined ? null : JSON.stringify(eventTypes) })
      .execute();
    const lane = {
      ...({
        lane_id: context.newId('lane'),
        endpoint_id: endpointId,
        kind: 'live',
        position,
        until_position: null,
      } as const),
      ...{ event_types: null, attempts: 0, due_at_ms: call.atMs, holder: null, held_until_ms: 0 },
    };
    await tables.insertInto('events_lanes').values(lane).execute();
    await context.audit(transaction, { ...doneBy(call, endpointId), action: 'webhook-endpoint.created' });
    const created: CreatedWebhookEndpoint = { ...endpointOf(row), secret };
    return jsonAnswer(created);
  });
  wake();
  return answer;
}

async function list({ context }: EndpointParts, call: OperationCall): Promise<PlatformAnswer> {
  const { cursor, limit } = call.request.parameters;
  const size = limit === undefined ? DEFAULT_PAGE_ITEMS : Number(limit);
  const after =
    cursor === undefined
      ? ''
      : (/^after ([\x21-\x7e]{1,128})$/.exec(Buffer.from(cursor, 'base64url').toString('latin1'))?.[1] ?? undefined);
  if (after === undefined)
    return problemAnswer('invalid-parameter', { errors: [{ pointer: 'cursor', code: 'unknown-cursor' }] });
  const rows = await context.database
    .withTables<EventsTables>()
    .selectFrom('events_endpoints')
    .selectAll()
    .where('organization_id', '=', call.caller.organizationId)
    .where('endpoint_id', '>', after)
    .orderBy('endpoint_id')
    .limit(size + 1)
    .execute();
  const items = rows.slice(0, size).map(endpointOf);
  const last = items.at(-1);
  if (rows.length <= size || last === undefined) return jsonAnswer({ items });
  return jsonAnswer({ items, nextCursor: Buffer.from(`after ${last.endpointId}`).toString('base64url') });
}

async function remove({ context }: EndpointParts, call: OperationCall): Promise<PlatformAnswer> {
  return context.transact(async (transaction) => {
    const there = await ownEndpoint(transaction, call);
    if (there === undefined) return problemAnswer('not-found');
    const { endpoint_id: endpointId } = there;
    await transaction
      .withTables<EventsTables>()
      .deleteFrom('events_endpoints')
      .where('endpoint_id', '=', endpointId)
      .execute();
    await context.sealed.forget(transaction, ownerOf(endpointId));
    await context.audit(transaction, { ...doneBy(call, endpointId), action: 'webhook-endpoint.deleted' });
    return { kind: 'nothing' };
  });
}

async function rotate({ context, secrets }: EndpointParts, call: OperationCall): Promise<PlatformAnswer> {
  return context.transact(async (transaction) => {
    const there = await ownEndpoint(transaction, call);
    if (there === undefined) return problemAnswer('not-found');
    const { endpoint_id: endpointId } = there;
    const { secret, reference } = await secrets.make(transaction, endpointId);
    const endsAtMs = call.atMs + ROTATION_MS;
    await transaction
      .withTables<EventsTables>()
      .updateTable('events_endpoints')
      .set({ secret: reference, previous_secret: there.secret, previous_ends_at_ms: endsAtMs })
      .where('endpoint_id', '=', endpointId)
      .execute();
    await context.audit(transaction, { ...doneBy(call, endpointId), action: 'webhook-endpoint.secret-rotated' });
    const answer: RotatedWebhookSecret = { endpointId, secret, previousSecretEndsAt: new Date(endsAtMs).toISOString() };
    return jsonAnswer(answer);
  });
}

async function replay({ context, wake }: EndpointParts, call: OperationCall): Promise<PlatformAnswer> {
  const { since, until, eventTypes } = call.request.body as WebhookReplayRequest;
  const [fromMs, toMs] = [Date.parse(since), until === undefined ? call.atMs : Date.parse(until)];
  const answer = await context.transact(async (transaction) => {
    const there = await ownEndpoint(transaction, call);
    if (there === undefined) return problemAnswer('not-found');
    const { endpoint_id: endpointId, organization_id: organizationId } = there;
    if (fromMs < call.atMs - KEPT_MS) return problemAnswer('gone');
    const tables = transaction.withTables<EventsTables>();
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
    const wanted = types.filter(
      ({ type }) =>
        isOfWire({ type } as Parameters<typeof isOfWire>[0]) &&
        (eventTypes?.some((one) => one === type) ?? true) &&
        (there.event_types?.some((one) => one === type) ?? true),
    );
    const events = wanted.reduce((sum, { count }) => sum + count, 0);
    if (events > 0 && there.state === 'active') {
      const lane = {
        ...({ lane_id: context.newId('lane'), endpoint_id: endpointId, kind: 'replay' } as const),
        position: Math.min(...wanted.map(({ first }) => first)) - 1,
        until_position: Math.max(...wanted.map(({ last }) => last)),
        event_types: eventTypes === undefined ? null : JSON.stringify(eventTypes),
        ...{ attempts: 0, due_at_ms: call.atMs, holder: null, held_until_ms: 0 },
      };
      await tables.insertInto('events_lanes').values(lane).execute();
    }
    await context.audit(transaction, {
      ...doneBy(call, endpointId),
      action: 'webhook-endpoint.replayed',
      details: { events },
    });
    const answered: WebhookReplay = { endpointId, events: there.state === 'active' ? events : 0 };
    return jsonAnswer(answered);
  });
  wake();
  return answer;
}
