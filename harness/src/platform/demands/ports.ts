import type { KeyObject } from 'node:crypto';
import type { LogSigner, ProvedEntry } from '@hopback/sdk/log';
import type {
  CampaignReader,
  HoldPort,
  LiveReader,
  OrganizationDirectory,
  ProviderDirectory,
  ReportReader,
  TracebackDesk,
} from '../core/index.js';
import type { FileStore } from './file-store.js';

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
