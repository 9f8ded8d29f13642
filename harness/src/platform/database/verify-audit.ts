import type { KeyObject } from 'node:crypto';
import { merkleLeafHash, verifyMerkleLog, type MerkleEntry, type MerkleLogFinding } from '@hopback/sdk/log';
import { auditLeafText, positionOfLeaf, type AuditRow } from './audit-leaf.js';
import { heldCheckpoint } from './audit-rows.js';
import type { OpenedDatabase } from './open-database.js';

/** Findings that are named; the rest is counted. */
export const AUDIT_FINDINGS = 1_000;
/** Rows that are read at once. */
const READ_ROWS = 2_000;

/** Something that is not as it was, and where. */
export type AuditFinding =
  /** Of the log; entries behind it cannot be told by it. `position` is that of the row which says it has this leaf. */
  | { readonly in: 'log'; readonly finding: MerkleLogFinding; readonly position?: number }
  /** The log ends before a leaf that the table says there is. */
  | {
      readonly in: 'log';
      readonly finding: { readonly kind: 'shorter-than-table'; readonly leafIndex: number };
      readonly position: number;
    }
  /** Bytes behind the last entry are damaged. */
  | { readonly in: 'log'; readonly finding: { readonly kind: 'tail-unreadable'; readonly leafIndex: number } }
  /** The row has other values than were signed; `deleted`: there is none any more; `inserted`: it was never signed; `misplaced`: it names another leaf than its own. */
  | {
      readonly in: 'table';
      readonly kind: 'changed' | 'deleted' | 'misplaced';
      readonly position: number;
      readonly leafIndex: number;
    }
  | { readonly in: 'table'; readonly kind: 'inserted'; readonly position: number };

/** What became of looking through an audit. */
export interface AuditVerification {
  readonly status: 'intact' | 'broken';
  /** Entries of the log that are as they were signed. */
  readonly entries: number;
  /** Rows that were held against their leaf. */
  readonly rows: number;
  /** Rows that are not in the log yet: nothing can be said of them. */
  readonly waiting: number;
  readonly findings: readonly AuditFinding[];
  /** Of findings in all. */
  readonly findingCount: number;
  readonly checkpoint?: string;
}

/** What an audit is held against. */
export interface AuditToVerify {
  readonly database: OpenedDatabase;
  readonly directory: string;
  /** Of the log, from somewhere else than the machine that keeps it. */
  readonly publicKeys: readonly KeyObject[];
  readonly logId: string;
  /** Checkpoints that were kept elsewhere. The one that the table holds is taken as well. */
  readonly heldCheckpoints?: readonly string[];
}

/**
 * Looks through log and table of an audit, while nobody brings entries to the log: every signature and hash of the log, then each row against its
 * leaf, so that a change of either is found and where it is. Takes some forty octets of memory for each entry.
 * @returns what was found; never throws for what log and table hold
 * @throws HopbackError `storage-failed` where the disk does not give the files, `invalid-argument` without a key; what the database throws
 */
export async function verifyAudit(audit: AuditToVerify): Promise<AuditVerification> {
  const { database, directory, publicKeys, logId, heldCheckpoints = [] } = audit;
  const leaves = createLeafList();
  const ofTable = await heldCheckpoint(database.database);
  const trust = { publicKeys, logId, onEntry: leaves.add };
  const checkpoints = [...heldCheckpoints, ...(ofTable === undefined ? [] : [ofTable])];
  const log = await verifyMerkleLog(directory, { ...trust, checkpoints });
  const sound = log.status === 'broken' ? Math.min(log.size, leaves.size()) : leaves.size();
  const found = createFindings();
  const { rows, waiting, positions } = await compared({
    database,
    leaves,
    sound,
    isWhole: log.status !== 'broken',
    found,
  });
  if (log.status === 'broken') {
    const position = positions.get(log.finding.leafIndex) ?? (await positionOf(database, log.finding.leafIndex));
    found.add({ in: 'log', finding: log.finding, ...(position !== undefined && { position }) });
  } else if (log.status === 'indeterminate') {
    found.add({ in: 'log', finding: { kind: 'tail-unreadable', leafIndex: log.leafIndex } });
  }
  const checkpoint = log.status === 'broken' ? undefined : log.checkpoint;
  return {
    status: found.count() === 0 ? 'intact' : 'broken',
    ...{ entries: sound, rows, waiting, findings: found.findings, findingCount: found.count() },
    ...(checkpoint !== undefined && { checkpoint }),
  };
}

interface LeafList {
  readonly add: (entry: MerkleEntry) => void;
  readonly size: () => number;
  /** -1 where the entry is none of an audit. */
  readonly position: (leafIndex: number) => number;
  readonly isHash: (leafIndex: number, hash: string) => boolean;
}

const HASH_BYTES = 32;

/** Positions and hashes of leaves, in arrays that grow. */
function createLeafList(): LeafList {
  let positions = new Float64Array(1_024);
  let hashes = Buffer.alloc(1_024 * HASH_BYTES);
  let size = 0;
  return {
    add: ({ octets }) => {
      if (size === positions.length) {
        const [more, moreHashes] = [new Float64Array(size * 2), Buffer.alloc(size * 2 * HASH_BYTES)];
        more.set(positions);
        moreHashes.set(hashes);
        [positions, hashes] = [more, moreHashes];
      }
      positions[size] = positionOfLeaf(octets) ?? -1;
      hashes.write(merkleLeafHash(octets), size * HASH_BYTES, 'hex');
      size += 1;
    },
    size: () => size,
    position: (leafIndex) => positions[leafIndex] ?? -1,
    isHash: (leafIndex, hash) =>
      hashes.subarray(leafIndex * HASH_BYTES, (leafIndex + 1) * HASH_BYTES).equals(Buffer.from(hash, 'hex')),
  };
}

interface Findings {
  readonly add: (finding: AuditFinding) => void;
  readonly findings: readonly AuditFinding[];
  readonly count: () => number;
}

function createFindings(): Findings {
  const findings: AuditFinding[] = [];
  let count = 0;
  return {
    add: (finding) => {
      count += 1;
      if (findings.length < AUDIT_FINDINGS) findings.push(finding);
    },
    findings,
    count: () => count,
  };
}

interface Comparison {
  readonly database: OpenedDatabase;
  readonly leaves: LeafList;
  /** Leaves that are as they were signed. */
  readonly sound: number;
  /** Whether these are all. */
  readonly isWhole: boolean;
  readonly found: Findings;
}

/** Rows and leaves side by side, both in the order of positions. */
async function compared(comparison: Comparison): Promise<{
  readonly rows: number;
  readonly waiting: number;
  /** Of the first row that names a leaf which the log does not have. */
  readonly positions: ReadonlyMap<number, number>;
}> {
  const { database, leaves, sound, isWhole, found } = comparison;
  const positions = new Map<number, number>();
  let [at, rows, waiting, after] = [0, 0, 0, -1];
  const deletedUpTo = (position: number): void => {
    for (; at < sound && leaves.position(at) < position; at += 1) {
      found.add({ in: 'table', kind: 'deleted', position: leaves.position(at), leafIndex: at });
    }
  };
  for (;;) {
    const page = await pageOf(database, after);
    for (const row of page) {
      deletedUpTo(row.position);
      if (at < sound && leaves.position(at) === row.position) {
        rows += 1;
        judge(row, at, comparison);
        at += 1;
      } else if (at < sound) found.add({ in: 'table', kind: 'inserted', position: row.position });
      else if (row.leaf_index === null || !isWhole) {
        // Behind what the log can say.
        waiting += 1;
        if (row.leaf_index !== null && !positions.has(row.leaf_index)) positions.set(row.leaf_index, row.position);
      } else behind(row, comparison);
    }
    after = page.at(-1)?.position ?? after;
    if (page.length < READ_ROWS) break;
  }
  deletedUpTo(Infinity);
  return { rows, waiting, positions };
}

function judge(row: AuditRow, leafIndex: number, { leaves, found }: Comparison): void {
  const { position } = row;
  if (!leaves.isHash(leafIndex, merkleLeafHash(auditLeafText(row)))) {
    found.add({ in: 'table', kind: 'changed', position, leafIndex });
  } else if (row.leaf_index !== null && row.leaf_index !== leafIndex) {
    found.add({ in: 'table', kind: 'misplaced', position, leafIndex });
  }
}

/** A row behind the last leaf that says it has one. */
function behind(row: AuditRow, { sound, found }: Comparison): void {
  const { position, leaf_index: leafIndex } = row;
  if (leafIndex !== null && leafIndex >= sound) {
    found.add({ in: 'log', finding: { kind: 'shorter-than-table', leafIndex }, position });
  } else found.add({ in: 'table', kind: 'inserted', position });
}

function pageOf({ database }: OpenedDatabase, after: number): Promise<readonly AuditRow[]> {
  const query = database.selectFrom('core_audit').selectAll().where('position', '>', after);
  return query.orderBy('position').limit(READ_ROWS).execute();
}

async function positionOf({ database }: OpenedDatabase, leafIndex: number): Promise<number | undefined> {
  const query = database.selectFrom('core_audit').select('position').where('leaf_index', '=', leafIndex);
  return (await query.limit(1).executeTakeFirst())?.position;
}
