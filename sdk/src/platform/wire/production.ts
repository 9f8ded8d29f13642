import type { DemandRecordClass } from './demand.js';

/** Where a production stands. */
export type ProductionState = 'in-preparation' | 'ready' | 'expired';

/** One file of a production. */
export interface ProductionFile {
  /** Last part of its address below the production. */
  readonly name: string;
  readonly mediaType: string;
  readonly sizeBytes: number;
  /** SHA-256 of the bytes, lower-case hex. */
  readonly sha256: string;
  /** Absent for manifests, certificates and the like. */
  readonly recordClass?: DemandRecordClass;
  readonly records?: number;
}

/** What is handed over to an agency under a reviewed demand. */
export interface Production {
  readonly format: 'hopback.production.1';
  readonly productionId: string;
  readonly demandId: string;
  /** The decision that it is made under. */
  readonly decisionId: string;
  readonly state: ProductionState;
  /** RFC 3339 in UTC. */
  readonly createdAt: string;
  readonly readyAt?: string;
  /** Until when its files can be fetched. */
  readonly expiresAt?: string;
  /** Name of the file that lists all others with their hashes. */
  readonly manifestName?: string;
  /** Name of the custodian's certificate. @see Federal Rules of Evidence 902(11), 902(13) */
  readonly certificateName?: string;
  readonly files: readonly ProductionFile[];
}
