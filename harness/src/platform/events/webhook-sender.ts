import { pause } from '@hopback/sdk/internal/runtime';
import { signWebhook } from '@hopback/sdk/platform';
import type { PlatformContext } from '../core/index.js';
import type { StoredEvent } from '../database/index.js';
import type { EndpointSecrets } from './endpoint-operations.js';
import { ownerOf } from './endpoint-operations.js';
import type { EventSource, EventTail } from './event-streams.js';
import { envelopeOf, isOfWire, isWanted, openEvents } from './event-streams.js';
import { isUnreadable } from '../database/index.js';
import { ENDPOINTS, LANES, newLane, tablesOf } from './events-tables.js';
import type { PostOutcome, PostWebhook } from './post-webhook.js';
import { afterAttempt } from './post-webhook.js';
import { disableEndpoint, endpointOwners, MAX_RETRY_LANES, nextDueMs, saveLane, takeLanes } from './webhook-lanes.js';
import type { Awake, HeldLane, LaneState } from './webhook-lanes.js';

/** Endpoints that are posted to at once: each has one request under way. */
export const POSTS_AT_ONCE = 32;
/** Events of a lane that are read at once. */
const EVENTS_AT_ONCE = 20;
/** Longest time without a look at all that is due, milliseconds: another process may have died or have a new endpoint, or a clock been set. */
const LOOK_MS = 30_000;
/** After trouble with the database, milliseconds. */
const RETRY_MS = 1_000;

/** What the sender is made of. */
export interface WebhookSenderParts {
  readonly context: PlatformContext;
  readonly source: EventSource;
  readonly tail: EventTail;
  readonly secrets: EndpointSecrets;
  readonly post: PostWebhook;
  readonly eventSource: string;
  /** Hears what became of each attempt, as a word. */
  readonly counted: (outcome: string) => void;
}

interface Sending extends WebhookSenderParts {
  readonly holder: string;
  readonly signal: AbortSignal;
}

/**
 * Posts events to endpoints, in the order of events for each of them and at least once, across restarts: how far each has come is in the
 * database. Of processes that share it one holds a lane.
 */
export class WebhookSender {
  readonly #parts: WebhookSenderParts;
  readonly #ending = new AbortController();
  readonly #sending: Sending;
  readonly #running = new Set<Promise<void>>();
  #awake: Awake = 'all';
  /** Who has endpoints, as of the last look at everybody's; undefined where that may have changed. What others are told is posted nowhere. */
  #owners: ReadonlySet<string> | undefined;
  #lookedAtMs = 0;
  #endPause = (): void => {};
  #isWoken = false;
  /** Organizations whose lanes run, and those of them for whom something came in meanwhile, perhaps behind the last look. */
  readonly #busy: string[] = [];
  readonly #missed = new Set<string>();
  readonly #stopListening: () => void;
  readonly #looping: Promise<void>;

  /** Begins to post. */
  constructor(parts: WebhookSenderParts) {
    this.#parts = parts;
    this.#sending = { ...parts, holder: parts.context.newId('sender'), signal: this.#ending.signal };
    this.#stopListening = parts.tail.listenAll((organizationIds) => {
      for (const id of this.#busy) if (organizationIds.has(id)) this.#missed.add(id);
      const concerned = [...organizationIds].filter((id) => this.#owners?.has(id) !== false);
      if (concerned.length > 0) this.#rouse(concerned);
    });
    this.#looping = this.#loop();
  }

  /** Looks for what is due: there is a new lane. */
  wake(): void {
    this.#awake = 'all';
    this.#woken();
  }

  async close(): Promise<void> {
    this.#stopListening();
    this.#ending.abort();
    await this.#looping;
    await Promise.all(this.#running);
  }

  #woken(): void {
    this.#isWoken = true;
    this.#endPause();
  }

  #rouse(organizationIds: Iterable<string>): void {
    if (this.#awake !== 'all') this.#awake = new Set([...this.#awake, ...organizationIds]);
    this.#woken();
  }

  async #take(asked: Awake, nowMs: number, limit: number): Promise<readonly HeldLane[]> {
    const { context, source } = this.#parts;
    if (asked === 'all') {
      this.#owners = undefined;
      const found = await endpointOwners(context);
      // Who was roused meanwhile may be new.
      if (this.#awake !== 'all') this.#owners = found;
      this.#lookedAtMs = nowMs;
    }
    const newest = await source.newestPosition();
    return takeLanes(context, this.#sending.holder, { awake: asked, nowMs, limit, newest });
  }

  async #round(): Promise<number> {
    const { context } = this.#parts;
    const nowMs = context.clock.nowMs();
    const limit = POSTS_AT_ONCE - this.#running.size;
    // A clock that was set back would put the next look off for as long.
    if (nowMs - this.#lookedAtMs >= LOOK_MS || nowMs < this.#lookedAtMs) this.#awake = 'all';
    const asked = this.#awake;
    this.#awake = new Set();
    const lanes = await this.#take(asked, nowMs, limit).catch((error: unknown) => {
      this.#awake = 'all';
      throw error;
    });
    // There may be more of them.
    if (lanes.length >= limit) this.#awake = asked === 'all' ? 'all' : new Set([...asked, ...this.#awake]);
    for (const lane of lanes) {
      this.#busy.push(lane.organizationId);
      const run = runLane(this.#sending, lane)
        .catch((error: unknown) => {
          // It is held until its time is over, and then tried again.
          context.log.warn('events could not be posted', {
            error: error instanceof Error ? error.name : 'unknown',
          });
        })
        .finally(() => {
          this.#running.delete(run);
          this.#busy.splice(this.#busy.indexOf(lane.organizationId), 1);
          if (this.#missed.delete(lane.organizationId)) this.#rouse([lane.organizationId]);
          else this.#woken();
        });
      this.#running.add(run);
    }
    if (lanes.length > 0 && this.#running.size < POSTS_AT_ONCE) return 0;
    const due = await nextDueMs(context, nowMs);
    const lookMs = Math.max(1, this.#lookedAtMs + LOOK_MS - nowMs);
    // What is due and was not taken is waited for by nobody else.
    return Math.min(lookMs, due === undefined ? lookMs : due > nowMs ? due - nowMs : RETRY_MS);
  }

  async #loop(): Promise<void> {
    while (!this.#ending.signal.aborted) {
      this.#isWoken = false;
      const waitMs = await this.#round().catch(() => RETRY_MS);
      if (waitMs === 0 || this.#isWoken) continue;
      const waking = new AbortController();
      this.#endPause = (): void => waking.abort();
      await pause(waitMs, this.#parts.context.clock, AbortSignal.any([waking.signal, this.#ending.signal]));
      this.#endPause = (): void => {};
    }
  }
}

/** Posts what there is, until it fails or there is no more. */
async function runLane(sending: Sending, lane: HeldLane): Promise<void> {
  let { position, attempts } = lane;
  const until = lane.untilPosition ?? Infinity;
  while (!sending.signal.aborted && position < until) {
    const { events, throughPosition } = await sending.source.read(position, {
      limit: EVENTS_AT_ONCE,
      organizationId: lane.organizationId,
    });
    for (const event of events) {
      if (event.position > until || sending.signal.aborted) break;
      if (isOfWire(event) && isWanted(event, lane.eventTypes) && isWanted(event, lane.laneTypes)) {
        const goesOn = await attempt(sending, { lane, event, position, attempts: attempts + 1 });
        if (!goesOn) return;
      }
      ({ position } = event);
      attempts = 0;
    }
    if (sending.signal.aborted) break;
    const last = events.at(-1);
    if (last === undefined || throughPosition > last.position) position = Math.min(throughPosition, until);
    if (events.length === 0) break;
  }
  await settle(sending, lane, { position, attempts, isDone: position >= until });
}

/** The lane has nothing to do, or the platform ends. */
async function settle(
  { context, holder }: Sending,
  { laneId }: HeldLane,
  {
    position,
    attempts,
    isDone,
  }: {
    readonly position: number;
    readonly attempts: number;
    readonly isDone: boolean;
  },
): Promise<void> {
  const nowMs = context.clock.nowMs();
  await context.transact(async (transaction) => {
    if (isDone) await LANES.remove(transaction, laneId);
    else await saveLane(transaction, { laneId, holder, nowMs }, { position, attempts, dueAtMs: nowMs, isHeld: false });
  });
}

interface Attempt {
  readonly lane: HeldLane;
  readonly event: StoredEvent;
  /** Before the event. */
  readonly position: number;
  readonly attempts: number;
}

/** Posts one event, and notes what became of it. @returns whether the lane goes on */
async function attempt(sending: Sending, { lane, event, position, attempts }: Attempt): Promise<boolean> {
  const { context, holder, counted } = sending;
  const { laneId, kind } = lane;
  const opened = await openedEvent(context, event, lane.organizationId);
  if (opened === 'removed') {
    const atMs = context.clock.nowMs();
    const passed = { position: event.position, attempts: 0, dueAtMs: atMs, isHeld: true };
    return context.transact((transaction) => saveLane(transaction, { laneId, holder, nowMs: atMs }, passed));
  }
  const outcome = opened === 'unreadable' ? { status: opened } : await posted(sending, lane, opened);
  // Given up for the end of the platform, not for anything of the receiver's: it is tried again when that is back.
  if (sending.signal.aborted && outcome.status === 'no-answer') {
    await settle(sending, lane, { position, attempts: attempts - 1, isDone: false });
    return false;
  }
  counted(outcome.status === 'answered' ? `${Math.floor(outcome.httpStatus / 100)}xx` : outcome.status);
  const nowMs = context.clock.nowMs();
  const after = afterAttempt(outcome, attempts, kind);
  const save = (state: LaneState, more?: Parameters<PlatformContext['transact']>[0]): Promise<boolean> =>
    context.transact(async (transaction) => {
      const isOurs = await saveLane(transaction, { laneId, holder, nowMs }, state);
      if (isOurs) await more?.(transaction);
      return isOurs;
    });
  switch (after.step) {
    case 'delivered':
      return save({ position: event.position, attempts: 0, dueAtMs: nowMs, isHeld: true }, (transaction) =>
        ENDPOINTS.set(transaction, lane.endpointId, { last_delivered_at_ms: nowMs }),
      );
    case 'disable':
      await disableEndpoint(context, lane, after.reason);
      counted(`disabled-${after.reason}`);
      return false;
    case 'wait':
      await save({ position, attempts, dueAtMs: nowMs + after.waitMs, isHeld: false });
      return false;
    case 'give-up':
      await givenUp(sending, { lane, event });
      return save({ position: event.position, attempts: 0, dueAtMs: nowMs, isHeld: true });
    case 'set-aside':
      return setAside(sending, { lane, event, position, attempts }, nowMs + after.waitMs);
    default:
      return after satisfies never;
  }
}

/** An event with its data in the clear. One that cannot be opened is the event's own trouble, unless the database is away. */
async function openedEvent(
  context: PlatformContext,
  event: StoredEvent,
  organizationId: string,
): Promise<StoredEvent | 'removed' | 'unreadable'> {
  try {
    return (await openEvents(context, [event], organizationId))[0] ?? 'removed';
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    context.log.error('an event cannot be opened', { eventId: event.eventId, type: event.type, error });
    return 'unreadable';
  }
}

async function posted(sending: Sending, lane: HeldLane, event: StoredEvent): Promise<PostOutcome> {
  const { context, secrets, post, signal } = sending;
  const nowMs = context.clock.nowMs();
  const { secret, previousSecret, previousEndsAtMs } = lane;
  const isBothSigned = previousSecret !== null && (previousEndsAtMs ?? 0) > nowMs;
  const keys = await secrets.read(isBothSigned ? [secret, previousSecret] : [secret], lane);
  const body = JSON.stringify(envelopeOf(event, sending.eventSource));
  const signed = signWebhook({ id: event.eventId, timestampSeconds: Math.floor(nowMs / 1_000), body, secrets: keys });
  return post({
    url: lane.url,
    fields: { ...signed, 'content-type': 'application/json' },
    body,
    nowMs,
    signal,
  });
}

/** One event that the receiver refuses waits by itself; where too many do, the endpoint waits. @returns whether the lane goes on */
async function setAside(
  { context, holder }: Sending,
  { lane, event, position, attempts }: Attempt,
  dueAtMs: number,
): Promise<boolean> {
  const { laneId, endpointId } = lane;
  const nowMs = context.clock.nowMs();
  return context.transact(async (transaction) => {
    const waiting = await tablesOf(transaction)
      .selectFrom('events_lanes')
      .select('lane_id')
      .where('endpoint_id', '=', endpointId)
      .where('kind', '=', 'retry')
      .limit(MAX_RETRY_LANES)
      .execute();
    if (waiting.length >= MAX_RETRY_LANES) {
      await saveLane(transaction, { laneId, holder, nowMs }, { position, attempts, dueAtMs, isHeld: false });
      return false;
    }
    const isOurs = await saveLane(
      transaction,
      { laneId, holder, nowMs },
      { position: event.position, attempts: 0, dueAtMs: nowMs, isHeld: true },
    );
    if (!isOurs) return false;
    await LANES.add(transaction, {
      ...newLane(context.newId('lane'), endpointId, dueAtMs),
      kind: 'retry',
      position: event.position - 1,
      until_position: event.position,
      attempts,
    });
    return true;
  });
}

async function givenUp({ context, counted }: Sending, { lane, event }: Pick<Attempt, 'lane' | 'event'>): Promise<void> {
  const { endpointId, organizationId } = lane;
  counted('given-up');
  await context.transact((transaction) =>
    context.audit(transaction, {
      action: 'webhook.given-up',
      organizationId,
      actor: 'platform',
      object: ownerOf(endpointId),
      details: { eventId: event.eventId, type: event.type },
    }),
  );
}
