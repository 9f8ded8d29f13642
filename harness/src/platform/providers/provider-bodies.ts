import { WIRE_SCHEMAS } from '@hopback/sdk/platform';
import type { BodyOf } from '@hopback/sdk/platform';
import { z } from 'zod';
import { count, identifier, line, MAX_ITEMS, utcTime } from '../domain/wire/routes.js';

// Bodies of the routes that operators, agencies and providers have beside the contract. Times are RFC 3339 in UTC.

/** Characters of a file of filings: 7,100 filers have about four million. */
const MAX_CSV_CHARS = 16 * 1_048_576;
/** Lines of a file that a report names. */
const MAX_NAMED_REJECTS = 1_000;
/** Codes of one provider, as in the contract. */
const MAX_CODES = 512;
/** Keys of one provider: a new one each month for eight years. */
export const MAX_ANSWER_KEYS = 100;
/** Members of a JWK of a public key, with room. */
const MAX_JWK_MEMBERS = 16;

const text = z
  .string()
  .min(1)
  .max(8_192)
  .regex(/^[^\u0000]*$/);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const email = z.string().regex(/^[^\s@]{1,64}@[^\s@]{1,254}$/);
const zone = z.string().regex(/^[A-Za-z0-9_+/-]{1,64}$/);
const codes = (form: RegExp) => z.array(z.string().regex(form)).max(MAX_CODES);
const jwk = z
  .record(z.string().max(32), z.string().max(2_048))
  .refine((key) => Object.keys(key).length <= MAX_JWK_MEMBERS);
const contact = z.object({ name: line, email: z.exactOptional(email) });

const page = <Item>(item: z.ZodType<Item>) =>
  z.object({ items: z.array(item).max(MAX_ITEMS), nextCursor: z.exactOptional(z.string().max(2_048)) });

const { ProviderEntry: entry, ProviderScorecard: scorecard } = WIRE_SCHEMAS;

const rejectedFiling = z.object({
  line: count,
  reason: z.enum([
    'frn-missing',
    'frn-invalid',
    'frn-repeated',
    'business-name-missing',
    'cell-invalid',
    'line-unreadable',
  ]),
  column: z.exactOptional(line),
});

const importReport = z.object({
  importId: identifier,
  importedAt: utcTime,
  source: line,
  sha256,
  lines: count,
  added: count,
  changed: count,
  unchanged: count,
  rejected: count,
  missing: count,
  rejects: z.array(rejectedFiling).max(MAX_NAMED_REJECTS),
});

const answerKey = z.object({
  keyId: line,
  jwk: z.record(z.string(), z.unknown()),
  from: utcTime,
  until: z.exactOptional(utcTime),
});

const version = z.object({
  from: utcTime,
  to: z.exactOptional(utcTime),
  source: line,
  entry,
});

const contestState = z.enum(['pending', 'upheld', 'rejected']);

const countedRequest = z.object({
  requestId: identifier,
  tracebackId: identifier,
  campaignId: z.exactOptional(identifier),
  hop: count,
  issuedAt: utcTime,
  dueAt: z.exactOptional(utcTime),
  answeredAt: z.exactOptional(utcTime),
  timeliness: z.enum(['in-time', 'late', 'unanswered', 'open', 'cancelled']),
  arm: z.exactOptional(line),
  reason: z.exactOptional(text),
  role: z.exactOptional(line),
  isDisputed: z.boolean(),
  excluded: z.exactOptional(z.enum(['withdrawn', 'platform-outage', 'contest-upheld'])),
  contest: z.exactOptional(contestState),
  findings: z
    .array(
      z.object({
        concern: line,
        reason: z.enum([
          'unanswered',
          'refused',
          'origin',
          'accepted-from-unlisted',
          'point-of-entry',
          'not-found',
          'not-retained',
          'ambiguous',
        ]),
      }),
    )
    .max(8),
});

const contest = z.object({
  contestId: identifier,
  providerId: identifier,
  requestId: identifier,
  reason: text,
  state: contestState,
  contestedAt: utcTime,
  decision: z.exactOptional(z.object({ decidedAt: utcTime, reason: text })),
});

const outageNote = { from: utcTime, to: utcTime, reason: text };
const outage = z.object({ outageId: identifier, ...outageNote });

/** Schemas of the bodies, by name. */
export const PROVIDER_SCHEMAS = {
  /** A file in the layout of the Robocall Mitigation Database, and where it is from, for the record. */
  RegistryImport: z.object({ csv: z.string().min(1).max(MAX_CSV_CHARS), source: line }),
  RegistryImportReport: importReport,
  RegistryImportPage: page(importReport),
  /** The office that answers tracebacks, with the zone in which deadlines are counted. Omitted members keep their values. */
  OfficeChange: z.object({
    zone: z.exactOptional(zone),
    contact: z.exactOptional(contact),
    ocns: z.exactOptional(codes(/^[0-9A-Z]{4}$/)),
    spcs: z.exactOptional(codes(/^[0-9A-Z]{1,15}$/)),
  }),
  /** A public key with `kid`; the other keys of the provider are believed until they end, for answers from before. */
  AnswerKeyRegistration: z.object({ jwk, othersEndAt: z.exactOptional(utcTime) }),
  AnswerKeyRetirement: z.object({ until: utcTime }),
  RegisteredProvider: z.object({
    entry,
    zone,
    isZoneAssumed: z.boolean(),
    contact: z.exactOptional(contact),
    isReachable: z.boolean(),
    answerKeys: z.array(answerKey).max(MAX_ANSWER_KEYS),
  }),
  RemovalOrder: z.object({
    removedOn: z.iso.date(),
    reason: text,
    orderUrl: z.exactOptional(z.string().regex(/^https:\/\/[^\s]{1,2040}$/)),
  }),
  Reinstatement: z.object({ reason: text }),
  ProviderVersionPage: page(version),
  ProviderScorecardPage: page(scorecard),
  CountedRequestPage: page(countedRequest),
  ContestSubmission: z.object({ requestId: identifier, reason: text }),
  Contest: contest,
  ContestPage: page(contest),
  ContestDecision: z.object({ decision: z.enum(['uphold', 'reject']), reason: text }),
  OutageNote: z.object(outageNote),
  Outage: outage,
  OutagePage: page(outage),
};

/** A body by the name of its schema. */
export type ProviderBody<Name extends keyof typeof PROVIDER_SCHEMAS> = BodyOf<(typeof PROVIDER_SCHEMAS)[Name]>;
