import type {
  AppReport,
  Campaign,
  DemandScope,
  ProviderEntry,
  Traceback,
  TracebackOpening,
} from '@hopback/sdk/platform';
import type { FindingArm, ProviderReference, TracebackAnswer } from '@hopback/sdk/traceback';
import type { ReferenceMeaning } from '@hopback/sdk/internal';
import type { PlatformDatabase, PlatformTransaction } from './area.js';
import type { SharedRecord } from '@hopback/sdk/records';

// What areas ask of each other. Each is carried out by the area that has the tables; the others know this file alone.

/** Where a port reads: within a transaction what that has written, else what has been committed. */
export type Reading = PlatformDatabase | PlatformTransaction;

/** A provider as the platform deals with it. */
export interface RegisteredProvider {
  readonly entry: ProviderEntry;
  /** IANA name of the zone of the office that answers. */
  readonly zone: string;
  /** Whether it has a client, and so can be asked over the wire. */
  readonly isReachable: boolean;
  /** Keys that its answers are signed with, as JWK with `kid`; those of the past with the end of their use. */
  readonly answerKeys: readonly { readonly jwk: Readonly<Record<string, unknown>>; readonly untilMs?: number }[];
}

/** Whom a reference means. `several` where it cannot be told. */
export type ProviderResolution =
  | { readonly status: 'found'; readonly provider: RegisteredProvider }
  | Exclude<ReferenceMeaning, { readonly status: 'found' }>;

/** The registry. Carried out by the area `providers`. */
export interface ProviderDirectory {
  readonly provider: (reading: Reading, providerId: string) => Promise<RegisteredProvider | undefined>;
  /** Some providers by id, with as many statements as one takes; who is not registered is not among them. */
  readonly providers: (
    reading: Reading,
    providerIds: readonly string[],
  ) => Promise<ReadonlyMap<string, RegisteredProvider>>;
  /**
   * Whom a reference means: by an identifier that only one provider has; by name only where it is the only one of that name and no identifier
   * contradicts it.
   */
  readonly resolve: (reading: Reading, reference: ProviderReference) => Promise<ProviderResolution>;
  /** The same of some references, in their order, with as many statements as one takes. */
  readonly resolveAll: (
    reading: Reading,
    references: readonly ProviderReference[],
  ) => Promise<readonly ProviderResolution[]>;
}

/** What is held in favour of providers when requests to them are counted. Carried out by the area `providers`. */
export interface CountingReader {
  /** Of requests that were issued in a stretch of time, `fromMs` in it and `toMs` not. */
  readonly facts: (
    reading: Reading,
    range: { readonly fromMs: number; readonly toMs: number },
  ) => Promise<{
    /** When the platform itself could not be reached. */
    readonly outages: readonly { readonly fromMs: number; readonly toMs: number }[];
    /** What was decided about objections, by the id of their request. */
    readonly contests: ReadonlyMap<string, 'pending' | 'upheld' | 'rejected'>;
  }>;
}

/** A record or report of a call of a campaign, as far as the platform knows it. */
export interface CampaignCall {
  /** `record:provider:recordId` or `report:app:reportId`: unique. */
  readonly callId: string;
  /** The call that somebody placed: the same for all records and reports of it. Figures of calls count these. */
  readonly placedCallId: string;
  /** An earlier release stored it by itself, and it could not be joined with other evidence of its call, or was not yet: it counts as a call. */
  readonly isUnjoined?: boolean;
  readonly atMs: number;
  /** Whose record or report it is: provider or application. */
  readonly reporterId: string;
  readonly recordId?: string;
  readonly reportId?: string;
  readonly calledNpaNxx?: string;
  /** Service Provider Code of the signer, where the call was signed. */
  readonly signer?: string;
  readonly attestation?: 'A' | 'B' | 'C';
  readonly durationSeconds?: number;
}

/** Campaigns. Carried out by the area `campaigns`. */
export interface CampaignReader {
  readonly campaign: (reading: Reading, campaignId: string) => Promise<Campaign | undefined>;
  /** Records and reports of the calls of a campaign of a stretch of time, `fromMs` in it and `toMs` not; newest first. */
  readonly calls: (
    reading: Reading,
    campaignId: string,
    options: {
      readonly fromMs?: number;
      readonly toMs?: number;
      readonly limit: number;
    },
  ) => Promise<readonly CampaignCall[]>;
}

/** A call with which a traceback begins. */
export interface OpeningOrder {
  readonly opening: TracebackOpening;
  /** Campaign that it is opened for. */
  readonly campaignId?: string;
  /** Who opens it, for the audit. */
  readonly organizationId: string;
  readonly actor: string;
  /** The same call for the same reason is opened once. */
  readonly reasonKey?: string;
}

/** A request to a provider and what became of it, for scorecards. */
export interface RequestOutcome {
  readonly requestId: string;
  readonly tracebackId: string;
  readonly providerId: string;
  readonly campaignId?: string;
  readonly hop: number;
  readonly issuedAtMs: number;
  readonly dueAtMs?: number;
  readonly answeredAtMs?: number;
  readonly state: 'open' | 'answered' | 'unanswered' | 'cancelled';
  /** Of the last answer. */
  readonly arm?: FindingArm;
  /** Of a refusal, as it was given. */
  readonly reason?: string;
  /** Which part the provider had in the call where the traceback has come to something. */
  readonly role?: 'origin' | 'point-of-entry' | 'transit' | 'terminating';
  /** Whether a statement of its own and one of a neighbour contradict each other, and evidence did not decide. */
  readonly isDisputed: boolean;
}

/** Tracebacks. Carried out by the area `tracebacks`. */
export interface TracebackDesk {
  /**
   * Opens a traceback, or gives the one that was opened for the same reason.
   * @throws HopbackError `invalid-argument` with `reason` where it cannot be: nobody is known who could be asked first
   */
  readonly open: (transaction: PlatformTransaction, order: OpeningOrder) => Promise<string>;
  /** The whole traceback, with all that staff may see. */
  readonly traceback: (reading: Reading, tracebackId: string) => Promise<Traceback | undefined>;
  readonly answers: (reading: Reading, tracebackId: string) => Promise<readonly TracebackAnswer[]>;
  readonly ofCampaign: (
    reading: Reading,
    campaignId: string,
  ) => Promise<readonly { readonly tracebackId: string; readonly outcome?: NonNullable<Traceback['outcome']> }[]>;
  /** Tracebacks that were opened in a stretch of time, `fromMs` in it and `toMs` not, by that time; read in pages. */
  readonly openedBetween: (
    reading: Reading,
    range: { readonly fromMs: number; readonly toMs: number },
  ) => AsyncIterable<string>;
  /** Requests that were issued in a stretch of time, of one provider or all, by that time; read in pages. */
  readonly requestOutcomes: (
    reading: Reading,
    range: {
      readonly fromMs: number;
      readonly toMs: number;
      readonly providerId?: string;
    },
  ) => AsyncIterable<RequestOutcome>;
}

/** A live record with the carrier that sent it. */
export interface LiveRecord {
  readonly providerId: string;
  readonly record: SharedRecord;
  readonly receivedAtMs: number;
}

/** Live records and reports of applications: another class of data than tracebacks. Carried out by the area `records`. */
export interface LiveReader {
  readonly record: (providerId: string, recordId: string) => Promise<LiveRecord | undefined>;
  /** @param transaction - within which it is read, where there is one: what is sealed is opened in it */
  readonly report: (
    appId: string,
    reportId: string,
    transaction?: PlatformTransaction,
  ) => Promise<AppReport | undefined>;
  /** Records of a stretch of time that fit all that is stated, by time; at most `limit`, with a mark where there are more. */
  readonly find: (query: {
    readonly fromMs: number;
    readonly toMs: number;
    readonly providerIds?: readonly string[];
    readonly callingTns?: readonly string[];
    readonly calledTns?: readonly string[];
    readonly recordIds?: readonly { readonly providerId: string; readonly recordId: string }[];
    readonly limit: number;
  }) => Promise<{ readonly records: readonly LiveRecord[]; readonly isCut: boolean }>;
}

/** Finds reports of applications. Carried out by the area `records`. */
export interface ReportReader {
  /** Reports of calls of a stretch of time, `fromMs` in it and `toMs` not, by time of the call; at most `limit`, with a mark where there are more. */
  readonly findReports: (query: {
    readonly fromMs: number;
    readonly toMs: number;
    readonly callingTns?: readonly string[];
    readonly calledTns?: readonly string[];
    readonly limit: number;
    /** Whether a report that cannot be opened any more is logged and left out. Default the look-up fails. */
    readonly leavesOutUnreadable?: boolean;
  }) => Promise<{
    readonly reports: readonly { readonly appId: string; readonly report: AppReport }[];
    readonly isCut: boolean;
  }>;
}

/** Hears of live data when it is durable: the detection of campaigns. At least once, in about the order in which it came. */
export interface LiveListener {
  readonly records: (records: readonly LiveRecord[]) => void;
  readonly report: (appId: string, report: AppReport, receivedAtMs: number) => void;
}

/** An agency of a State or of the United States. Carried out by the area `trust`. */
export interface AgencyEntry {
  readonly agencyId: string;
  readonly name: string;
  /** `US`, `US-TX`. */
  readonly jurisdiction: string;
  readonly contactEmail: string;
}

/** Who there is beside providers. */
export interface OrganizationDirectory {
  readonly agencies: (reading: Reading) => Promise<readonly AgencyEntry[]>;
  readonly agency: (reading: Reading, agencyId: string) => Promise<AgencyEntry | undefined>;
  /** Ids of organizations of the traceback group itself. */
  readonly staff: (reading: Reading) => Promise<readonly string[]>;
}

/** Which tracebacks the reviewed demands of an agency cover. Carried out by the area `demands`; nothing is covered where there is none. */
export interface DemandCoverage {
  readonly covered: (
    reading: Reading,
    agencyId: string,
    tracebackIds: readonly string[],
  ) => Promise<ReadonlySet<string>>;
}

/**
 * What of a demand's scope is held: all records of a time, of all providers or of some. Numbers, campaigns and tracebacks are not in it, so that
 * nothing has to be unsealed for it, and rather too much is kept than too little.
 */
export interface HeldScope extends Pick<DemandScope, 'recordClasses' | 'from' | 'to'> {
  /** Absent for those of all providers, also where the demand names one by another identifier. */
  readonly providerIds?: readonly string[];
}

/** Something that is demanded, and must not be removed. */
export interface LegalHold {
  /** Id of the demand: one hold for each. */
  readonly holdId: string;
  /** Who demands. */
  readonly organizationId: string;
  readonly scope: HeldScope;
}

/**
 * Keeps live records and reports that are demanded from being removed. Carried out by the area `records`. What lies in SQL is held by the table
 * `demands_holds`: `createHoldReader`.
 */
export interface HoldPort {
  /** Places a hold, or changes one of that id to this scope. Said again it changes nothing. */
  readonly place: (hold: LegalHold) => Promise<void>;
  /** Ends a hold; one that there is not is ended already. */
  readonly release: (holdId: string) => Promise<void>;
}
