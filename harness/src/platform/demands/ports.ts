import type { KeyObject } from 'node:crypto';
import type { LogSigner, ProvedEntry } from '@hopback/sdk/log';
import type { AppReport, DemandScope } from '@hopback/sdk/platform';
import type {
  CampaignReader,
  LiveReader,
  OrganizationDirectory,
  ProviderDirectory,
  TracebackDesk,
} from '../core/index.js';
import type { FileStore } from './file-store.js';

/** Finds reports of applications. Carried out by the area `records`. */
export interface ReportReader {
  /** Reports of calls of a stretch of time, `fromMs` in it and `toMs` not, by time of the call; at most `limit`, with a mark where there are more. */
  readonly findReports: (query: {
    readonly fromMs: number;
    readonly toMs: number;
    readonly callingTns?: readonly string[];
    readonly calledTns?: readonly string[];
    readonly limit: number;
  }) => Promise<{
    readonly reports: readonly { readonly appId: string; readonly report: AppReport }[];
    readonly isCut: boolean;
  }>;
}

/** Something that is demanded, and must not be removed. */
export interface LegalHold {
  /** Id of the demand: one hold for each. */
  readonly holdId: string;
  /** Who demands. */
  readonly organizationId: string;
  readonly scope: DemandScope;
}

/**
 * Keeps live records and reports that are demanded from being removed. Carried out by the area `records`. What lies in SQL is held by the table
 * `demands_holds`: {@link createHoldReader}.
 */
export interface HoldPort {
  /** Places a hold, or changes one of that id to this scope. Said again it changes nothing. */
  readonly place: (hold: LegalHold) => Promise<void>;
  /** Ends a hold; one that there is not is ended already. */
  readonly release: (holdId: string) => Promise<void>;
}

/** Proofs of the audit. Carried out by whoever keeps the Merkle log. */
export interface AuditProofs {
  readonly logId: string;
  /** Of whoever signs for the log. */
  readonly publicKey: KeyObject;
  /**
   * The entry that was audited in the transaction of an action on an object, with its proof; undefined while it is not in the log. The octets of
   * the entry have its details as JSON, without spaces.
   */
  readonly prove: (entry: { readonly action: string; readonly object: string }) => Promise<ProvedEntry | undefined>;
}

/** What the area of demands stands on beside its context. */
export interface DemandPorts {
  readonly campaigns: CampaignReader;
  readonly tracebacks: TracebackDesk;
  readonly live: LiveReader;
  readonly reports: ReportReader;
  readonly organizations: OrganizationDirectory;
  readonly providers: ProviderDirectory;
  readonly holds: HoldPort;
  readonly proofs: AuditProofs;
  /** Where documents and files of productions lie, encrypted. */
  readonly files: FileStore;
  /** Signs manifests, sums and lists of receipts. */
  readonly signer: LogSigner;
  /** Who operates the platform, as certificates name it. */
  readonly operator: { readonly name: string; readonly software: string };
}
