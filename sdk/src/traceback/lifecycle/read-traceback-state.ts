import { z } from 'zod';
import { readBySchema } from '../../core/schema-findings.js';
import type { ContactDetails, ProviderReference } from '../../contract/common.js';
import { FINDING_ARMS } from '../../contract/traceback-exchange.js';
import type { CustomerAction, FindingArm } from '../../contract/traceback-exchange.js';
import { MAX_OTHER_HOLIDAYS } from '../deadline/deadline-policy.js';
import type { DeadlinePolicy } from '../deadline/deadline-policy.js';
import { MAX_FACTS, MAX_HOPS, MAX_REMINDERS, MAX_TRACEBACK_ID } from './traceback-state.js';
import type { FactKind, FactOf, LifecycleRules, TracebackFact, TracebackState } from './traceback-state.js';

// What a store gives back. Bounds are those by which events are taken; keys that are not known are left out.

const id = z.string().min(1).max(1_000);
const text = z.string().min(1).max(4_000);
const atMs = z.int().min(0);
const waitMs = z.int().min(0);

const provider: z.ZodType<ProviderReference> = z.object({
  providerId: z.exactOptional(id),
  name: text,
  ocn: z.exactOptional(id),
  spc: z.exactOptional(id),
  frn: z.exactOptional(id),
});

const contact: z.ZodType<ContactDetails> = z.object({
  name: text,
  email: z.exactOptional(text),
  telephone: z.exactOptional(text),
  postalAddress: z.exactOptional(text),
  country: z.exactOptional(text),
});

const action: z.ZodType<CustomerAction> = z.enum(['none', 'under-review', 'warned', 'suspended', 'terminated']);

const arm: z.ZodType<FindingArm> = z.enum(FINDING_ARMS);

const deadline: z.ZodType<DeadlinePolicy> = z.object({
  beforeOpening: z.enum(['same-day', 'next-business-day', 'earliest']),
  closingMinute: z.enum(['whole-minute', 'on-the-stroke', 'outside', 'earliest']),
  restart: z.enum(['same-time-of-day', 'one-minute-past-midnight', 'earliest']),
  clockChange: z.enum(['elapsed-hours', 'same-time-of-day', 'earliest']),
  observance: z.enum(['observed-day', 'calendar-date', 'earliest']),
  noticeReport: z.enum(['to-the-hour', 'end-of-fourteenth-day', 'next-business-day', 'earliest']),
  inaugurationDay: z.boolean(),
  otherHolidays: z.array(z.object({ date: z.iso.date(), name: z.string().min(1).max(120) })).max(MAX_OTHER_HOLIDAYS),
});

const rules: z.ZodType<LifecycleRules> = z.object({
  deadline,
  remindBeforeDueMs: z.array(waitMs).max(MAX_REMINDERS),
  nonResponsiveAfterDueMs: waitMs,
  closeStalledAfterMs: waitMs,
  maxHops: z.int().min(1).max(MAX_HOPS),
});

/** Total: a kind of fact that is new does not compile without its schema. */
const factSchemas: { readonly [Kind in FactKind]: z.ZodType<FactOf<Kind>> } = {
  sent: z.object({ kind: z.literal('sent'), id, atMs, zone: text, receivedAtMs: atMs, dueAtMs: atMs }),
  acknowledged: z.object({ kind: z.literal('acknowledged'), id, atMs }),
  'not-askable': z.object({
    kind: z.literal('not-askable'),
    id,
    atMs,
    reason: z.enum(['foreign', 'not-listed', 'no-contact', 'removed']),
  }),
  statement: z.object({
    kind: z.literal('statement'),
    id,
    atMs,
    requestId: id,
    revision: z.int().min(1),
    provider,
    arm,
    otherCall: z.exactOptional(z.array(z.enum(['called', 'time'])).max(2)),
    upstream: z.exactOptional(provider),
    contact: z.exactOptional(contact),
    callerIdentified: z.exactOptional(z.boolean()),
    callerAction: z.exactOptional(action),
    upstreamAction: z.exactOptional(action),
    reason: z.exactOptional(text),
    amendedBecause: z.exactOptional(text),
  }),
  identified: z.object({ kind: z.literal('identified'), id, atMs, requestId: id, provider }),
  report: z.object({ kind: z.literal('report'), id, atMs, provider, sentTo: provider }),
  choice: z.object({ kind: z.literal('choice'), id, atMs, reportId: id, by: text }),
  ruling: z.object({
    kind: z.literal('ruling'),
    id,
    atMs,
    ruling: z.enum(['downstream-stands', 'upstream-stands', 'undecided']),
    by: text,
    reason: text,
  }),
  accepted: z.object({ kind: z.literal('accepted'), id, atMs, by: text }),
  forward: z.object({ kind: z.literal('forward'), id, atMs, number: text, by: text }),
  cancelled: z.object({ kind: z.literal('cancelled'), id, atMs, by: text, reason: text }),
  done: z.object({ kind: z.literal('done'), id, atMs, reference: z.exactOptional(text) }),
};

const fact: z.ZodType<TracebackFact> = z.union(Object.values(factSchemas));

/** A state of a traceback out of a store. */
const tracebackStateSchema: z.ZodType<TracebackState> = z.object({
  format: z.literal('hopback.traceback-state.1'),
  tracebackId: z.string().min(1).max(MAX_TRACEBACK_ID),
  direction: z.enum(['back', 'forward']),
  startedAtMs: atMs,
  first: provider,
  rules,
  sharedRecordId: z.exactOptional(id),
  nowMs: atMs,
  facts: z.array(fact).max(MAX_FACTS),
});

/** What a store gave back. */
export type StateReading =
  | { readonly status: 'read'; readonly state: TracebackState }
  | {
      readonly status: 'refused';
      /** `unknown-format`: it was written by another version, or is something else. */
      readonly reason: 'unknown-format' | 'malformed';
      /** Where, `facts.3.atMs`; without what was there. */
      readonly at: string;
    };

/**
 * Reads the state of a traceback that was stored as JSON.
 * @param value - what `JSON.parse` made of it; may be anything
 * @returns the state, or what is wrong with it; never throws
 * @see RFC 8259
 * @example
 * ```ts
 * const { state } = startTraceback({ tracebackId: 'tb-1', atMs: Date.UTC(2026, 1, 3, 15), first: { name: 'Example Telco' } });
 * console.log(readTracebackState(JSON.parse(JSON.stringify(state))).status); // read
 * ```
 */
export function readTracebackState(value: unknown): StateReading {
  const read = readBySchema(tracebackStateSchema, value);
  if (read.success) return { status: 'read', state: read.data };
  const at = read.error.issues[0]?.path.map(String).join('.') ?? '';
  return { status: 'refused', reason: at === 'format' || at === '' ? 'unknown-format' : 'malformed', at };
}
