import type { Page, ProviderEntry, ProviderRemoval, ProviderScorecard } from '@hopback/sdk/platform';
import type {
  ContestState,
  ExclusionReason,
  FindingReason,
  RejectedFiling,
  Timeliness,
} from '../domain/providers/index.js';
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

/** The office that answers tracebacks. What is not said stays. */
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
  /** Concerns that it speaks for, and why. */
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
