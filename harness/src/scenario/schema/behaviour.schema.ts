import { z } from 'zod';
import { MAX_PER_SECOND, MAX_PHASE_SECONDS } from '../scenario.js';
import type { Behaviour, BehaviourKind } from '../scenario.js';
import { id, line, number, share } from './words.schema.js';

const seconds = z.number().min(0).max(MAX_PHASE_SECONDS);
const times = { fromSeconds: z.exactOptional(seconds), untilSeconds: z.exactOptional(seconds) };
/** Those of answers and certificates are the same for all calls: they have no share. */
const bounds = { ...times, share: z.exactOptional(share) };

const signalling = [
  z.strictObject({ kind: z.literal('strips-identity'), ...bounds }),
  z.strictObject({ kind: z.literal('signs-spoofed'), ...bounds }),
  z.strictObject({ kind: z.literal('downgrades'), to: z.enum(['B', 'C']), ...bounds }),
  z.strictObject({ kind: z.literal('signs-as'), provider: id, attestation: z.enum(['A', 'B', 'C']), ...bounds }),
  z.strictObject({ kind: z.literal('alters-identity'), ...bounds }),
  z.strictObject({ kind: z.literal('diverts'), to: number, withoutDiv: z.exactOptional(z.boolean()), ...bounds }),
  z.strictObject({
    kind: z.literal('rewrites-numbers'),
    how: z.enum(['national', 'prefix', 'calling']),
    value: z.exactOptional(
      z
        .string()
        .regex(/^[0-9]{1,15}$/u, { error: 'must be 1 to 15 digits in quotes: a number, or a technical prefix' }),
    ),
    ...bounds,
  }),
  z.strictObject({ kind: z.literal('forks'), branches: z.int().min(2).max(10), ...bounds }),
  z.strictObject({ kind: z.literal('replays-identity'), ...bounds }),
  z.strictObject({ kind: z.literal('overloads'), perSecond: z.number().positive().max(MAX_PER_SECOND), ...bounds }),
  z.strictObject({ kind: z.literal('crashes'), ...times }),
] as const;

const certificates = [
  z.strictObject({
    kind: z.literal('certificate'),
    fault: z.enum(['expired', 'revoked', 'wrong-spc', 'untrusted']),
    ...times,
  }),
  z.strictObject({ kind: z.literal('certificate-server'), fault: z.enum(['dead', 'slow', 'hostile']), ...times }),
] as const;

/** A day: a clock that is more than that wrong has been set to another date. */
const MAX_SKEW_SECONDS = 86_400;

const records = [
  z.strictObject({ kind: z.literal('record-gap'), ...bounds }),
  z.strictObject({ kind: z.literal('purged-records'), ...bounds }),
  z.strictObject({
    kind: z.literal('clock-skew'),
    seconds: z.number().min(-MAX_SKEW_SECONDS).max(MAX_SKEW_SECONDS),
    ...times,
  }),
] as const;

/** A year: beyond it every platform has given up. */
const MAX_LATE_HOURS = 8_760;

const answers = [
  z.strictObject({ kind: z.literal('silent'), ...times }),
  z.strictObject({ kind: z.literal('late'), hours: z.number().positive().max(MAX_LATE_HOURS), ...times }),
  z.strictObject({ kind: z.literal('refuses'), reason: line(500), ...times }),
  z.strictObject({
    kind: z.literal('names-another'),
    provider: id,
    colludes: z.exactOptional(z.boolean()),
    otherCall: z.exactOptional(z.boolean()),
    ...times,
  }),
  z.strictObject({ kind: z.literal('names-nobody'), name: line(200), ...times }),
  z.strictObject({ kind: z.literal('claims-origin'), ...times }),
  z.strictObject({ kind: z.literal('denies'), ...times }),
] as const;

const all = [...signalling, ...certificates, ...records, ...answers] as const;

/** What a provider does that an honest one does not. */
export const BEHAVIOUR: z.ZodType<Behaviour> = z.discriminatedUnion('kind', all);

/** The kind of such a behaviour, where one is spoken of. */
export const BEHAVIOUR_KIND: z.ZodType<BehaviourKind> = z.enum(all.map(({ shape }) => shape.kind.value));
