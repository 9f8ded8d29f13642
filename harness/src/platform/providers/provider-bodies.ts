import type { Page, ProviderEntry, ProviderRemoval, ProviderScorecard, WireSchema } from '@hopback/sdk/platform';
import { WIRE_SCHEMAS } from '@hopback/sdk/platform';
import { z } from 'zod';
import type { ContestState, ExclusionReason, FindingReason, Timeliness } from '../domain/providers/scorecard.js';
import type { RejectedFiling } from '../domain/providers/read-filings.js';
import type { ImportCounts, OfficeContact } from './provider-tables.js';

// Bodies of the routes that operators, agencies and providers have beside the contract. Times are RFC 3339 in UTC.

/** A file in the layout of the Robocall Mitigation Database. */
export interface RegistryImport {
  readonly csv: string;
  /** Where it is from, for the record. */
  readonly source: string;
}

export interface RegistryImportReport extends ImportCounts {
  readonly importId: string;
  readonly importedAt: string;
  readonly source: string;
  /** Of the file, lower-case hex. */
  readonly sha256: string;
  /** Lines that were not taken, at most 1,000 of `rejected`. */
  readonly rejects: readonly RejectedFiling[];
}

/** The office that answers tracebacks. Omitted members keep their values. */
export interface OfficeChange {
  /** IANA name of the zone in which deadlines are counted. */
  readonly zone?: string;
  readonly contact?: OfficeContact;
  readonly ocns?: readonly string[];
  readonly spcs?: readonly string[];
}

/** A key that answers are signed with. */
export interface AnswerKeyRegistration {
  /** Public, with `kid`: EC P-256 or Ed25519. */
  readonly jwk: Readonly<Record<string, string>>;
  /** When the other keys of the provider end, at which they are still believed for answers from before; absent: they go on. */
  readonly othersEndAt?: string;
}

/** The end of a key. */
export interface AnswerKeyRetirement {
  readonly until: string;
}

export interface AnswerKeyEntry {
  readonly keyId: string;
  readonly jwk: Readonly<Record<string, unknown>>;
  readonly from: string;
  readonly until?: string;
}

/** A provider as staff sees it. */
export interface RegisteredProviderView {
  readonly entry: ProviderEntry;
  readonly zone: string;
  /** Whether the zone is a guess: nobody has stated one. */
  readonly isZoneAssumed: boolean;
  readonly contact?: OfficeContact;
  readonly isReachable: boolean;
  readonly answerKeys: readonly AnswerKeyEntry[];
}

export type RemovalOrder = ProviderRemoval;

export interface Reinstatement {
  readonly reason: string;
}

/** One version of an entry. */
export interface ProviderVersion {
  readonly from: string;
  readonly to?: string;
  readonly source: string;
  readonly entry: ProviderEntry;
}

/** A request as it is counted. */
export interface CountedRequestView {
  readonly requestId: string;
  readonly tracebackId: string;
  readonly campaignId?: string;
  readonly hop: number;
  readonly issuedAt: string;
  readonly dueAt?: string;
  readonly answeredAt?: string;
  readonly timeliness: Timeliness;
  readonly arm?: string;
  /** As the provider gave it. */
  readonly reason?: string;
  readonly role?: string;
  readonly isDisputed: boolean;
  /** Why it is in no rate. */
  readonly excluded?: ExclusionReason;
  readonly contest?: ContestState;
  /** Its effect on the scorecard: concerns with reasons. */
  readonly findings: readonly { readonly concern: string; readonly reason: FindingReason }[];
}

/** A provider's objection. */
export interface ContestSubmission {
  readonly requestId: string;
  readonly reason: string;
}

export interface Contest {
  readonly contestId: string;
  readonly providerId: string;
  readonly requestId: string;
  readonly reason: string;
  readonly state: ContestState;
  readonly contestedAt: string;
  readonly decision?: { readonly decidedAt: string; readonly reason: string };
}

export interface ContestDecision {
  readonly decision: 'uphold' | 'reject';
  /** Which the provider is told. */
  readonly reason: string;
}

/** When the platform could not be reached. */
export interface OutageNote {
  readonly from: string;
  readonly to: string;
  readonly reason: string;
}

export interface Outage extends OutageNote {
  readonly outageId: string;
}

/** Bodies by name. */
export interface ProviderBodies {
  readonly RegistryImport: RegistryImport;
  readonly RegistryImportReport: RegistryImportReport;
  readonly RegistryImportPage: Page<RegistryImportReport>;
  readonly OfficeChange: OfficeChange;
  readonly AnswerKeyRegistration: AnswerKeyRegistration;
  readonly AnswerKeyRetirement: AnswerKeyRetirement;
  readonly RegisteredProvider: RegisteredProviderView;
  readonly RemovalOrder: RemovalOrder;
  readonly Reinstatement: Reinstatement;
  readonly ProviderVersionPage: Page<ProviderVersion>;
  readonly ProviderScorecardPage: Page<ProviderScorecard>;
  readonly CountedRequestPage: Page<CountedRequestView>;
  readonly ContestSubmission: ContestSubmission;
  readonly Contest: Contest;
  readonly ContestPage: Page<Contest>;
  readonly ContestDecision: ContestDecision;
  readonly OutageNote: OutageNote;
  readonly Outage: Outage;
  readonly OutagePage: Page<Outage>;
}

/** Characters of a file of filings: 7,100 filers have about four million. */
const MAX_CSV_CHARS = 16 * 1_048_576;
/** Items of a page, as of every list of the contract. */
const MAX_ITEMS = 500;
/** Lines of a file that a report names. */
const MAX_NAMED_REJECTS = 1_000;
/** Codes of one provider, as in the contract. */
const MAX_CODES = 512;
/** Keys of one provider: a new one each month for eight years. */
export const MAX_ANSWER_KEYS = 100;
/** Members of a JWK of a public key, with room. */
const MAX_JWK_MEMBERS = 16;

const identifier = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._~:@=-]{0,127}$/);
// No control characters: it stands in lists, letters and reports.
const line = z.string().regex(/^[^\u0000-\u001f\u007f]{1,256}$/);
const text = z
  .string()
  .min(1)
  .max(8_192)
  .regex(/^[^\u0000]*$/);
const utcTime = z.iso.datetime().max(40);
const count = z.int().min(0);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const email = z.string().regex(/^[^\s@]{1,64}@[^\s@]{1,254}$/);
const zone = z.string().regex(/^[A-Za-z0-9_+/-]{1,64}$/);
const codes = (form: RegExp): z.ZodType<readonly string[]> => z.array(z.string().regex(form)).max(MAX_CODES);
const jwk = z
  .record(z.string().max(32), z.string().max(2_048))
  .refine((key) => Object.keys(key).length <= MAX_JWK_MEMBERS);
const contact = z.object({ name: line, email: z.exactOptional(email) });

/** A body of the contract within one of ours. */
const ofContract = <Value>(schema: WireSchema<Value>): z.ZodType<Value> =>
  z.custom<Value>((value) => schema.safeParse(value).success);

const page = <Item>(item: z.ZodType<Item>): z.ZodType<Page<Item>> =>
  z.object({ items: z.array(item).max(MAX_ITEMS), nextCursor: z.exactOptional(z.string().max(2_048)) });

const entry: z.ZodType<ProviderEntry> = ofContract(WIRE_SCHEMAS.ProviderEntry);
const scorecard: z.ZodType<ProviderScorecard> = ofContract(WIRE_SCHEMAS.ProviderScorecard);

const rejectedFiling: z.ZodType<RejectedFiling> = z.object({
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

const importReport: z.ZodType<RegistryImportReport> = z.object({
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

const answerKey: z.ZodType<AnswerKeyEntry> = z.object({
  keyId: line,
  jwk: z.record(z.string(), z.unknown()),
  from: utcTime,
  until: z.exactOptional(utcTime),
});

const version: z.ZodType<ProviderVersion> = z.object({
  from: utcTime,
  to: z.exactOptional(utcTime),
  source: line,
  entry,
});

const contestState = z.enum(['pending', 'upheld', 'rejected']);

const countedRequest: z.ZodType<CountedRequestView> = z.object({
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

const contest: z.ZodType<Contest> = z.object({
  contestId: identifier,
  providerId: identifier,
  requestId: identifier,
  reason: text,
  state: contestState,
  contestedAt: utcTime,
  decision: z.exactOptional(z.object({ decidedAt: utcTime, reason: text })),
});

const outageNote = { from: utcTime, to: utcTime, reason: text };
const outage: z.ZodType<Outage> = z.object({ outageId: identifier, ...outageNote });

/** Schemas of the bodies, by name. */
export const PROVIDER_SCHEMAS: { readonly [Name in keyof ProviderBodies]: WireSchema<ProviderBodies[Name]> } = {
  RegistryImport: z.object({ csv: z.string().min(1).max(MAX_CSV_CHARS), source: line }),
  RegistryImportReport: importReport,
  RegistryImportPage: page(importReport),
  OfficeChange: z.object({
    zone: z.exactOptional(zone),
    contact: z.exactOptional(contact),
    ocns: z.exactOptional(codes(/^[0-9A-Z]{4}$/)),
    spcs: z.exactOptional(codes(/^[0-9A-Z]{1,15}$/)),
  }),
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
