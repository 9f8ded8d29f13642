import type { KeyObject } from 'node:crypto';
import type { ProvedEntry } from '@hopback/sdk/log';
import type { PlatformDatabase } from '../core/index.js';
import type { AuditProofs } from './ports.js';

/** The log that the audit is brought to. */
export interface ProvingLog {
  /** Name of the part of it that entries are added to. */
  readonly logId: () => string;
  /** The entry of a row of the audit as it was signed, with its proof; undefined while it is not in the log. */
  readonly proofOf: (position: number) => Promise<ProvedEntry | undefined>;
}

/** Proofs of the audit by what was done to what: the first entry of an action on an object. */
export function auditProofsOf(
  database: PlatformDatabase,
  log: ProvingLog & { readonly publicKey: KeyObject },
): AuditProofs {
  return {
    get logId() {
      return log.logId();
    },
    publicKey: log.publicKey,
    prove: async ({ action, object }) => {
      const row = await database
        .selectFrom('core_audit')
        .select('position')
        .where('object', '=', object)
        .where('action', '=', action)
        .orderBy('position')
        .limit(1)
        .executeTakeFirst();
      return row === undefined ? undefined : log.proofOf(row.position);
    },
  };
}
