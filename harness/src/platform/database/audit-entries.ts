import { merkleLeafHash, type MerkleLog, type ProvedEntry } from '@hopback/sdk/log';
import { auditLeafText, readLeaf, type AuditLeaf, type AuditRow } from './audit-leaf.js';
import { firstRowLeaf, type AuditSegment } from './audit-segments.js';

/** An entry of the audit, held against the log that signed it. */
export type AuditEntryState =
  /** The row is what was signed. */
  | { readonly integrity: 'signed'; readonly row: AuditRow; readonly leafIndex: number }
  /** The row is not in the log yet. */
  | { readonly integrity: 'waiting'; readonly row: AuditRow }
  /** The row was changed after it was signed. */
  | { readonly integrity: 'changed'; readonly row: AuditRow; readonly signed: AuditLeaf; readonly leafIndex: number }
  /** The row was put in later: it was never signed. */
  | { readonly integrity: 'inserted'; readonly row: AuditRow }
  /** The row was deleted. */
  | { readonly integrity: 'deleted'; readonly signed: AuditLeaf; readonly leafIndex: number }
  /** The log has lost what it had of the row, or is damaged there. */
  | { readonly integrity: 'unproved'; readonly row: AuditRow };

/** The segment that a position belongs to. */
export function segmentHolding(segments: readonly AuditSegment[], position: number): AuditSegment | undefined {
  return segments.findLast(({ afterPosition }) => afterPosition < position) ?? segments[0];
}

/**
 * Holds a row against the log.
 * @param segments - all of them; entries are added to the last one
 * @throws HopbackError `log-inconsistent` where files were changed while they were open; `storage-failed`
 */
export async function stateOfRow(segments: readonly AuditSegment[], row: AuditRow): Promise<AuditEntryState> {
  const segment = segmentHolding(segments, row.position);
  const log = segment?.log;
  if (segment === undefined || log === undefined) return { integrity: 'unproved', row };
  const hash = merkleLeafHash(auditLeafText(row));
  const { leaf_index: stated } = row;
  if (stated !== null && stated >= firstRowLeaf(segment) && stated < log.size && log.leafHash(stated) === hash)
    return { integrity: 'signed', row, leafIndex: stated };
  const found = await leafOfPosition(segment, row.position);
  if (found.status === 'found') {
    const { leafIndex, leaf } = found;
    return log.leafHash(leafIndex) === hash
      ? { integrity: 'signed', row, leafIndex }
      : { integrity: 'changed', row, signed: leaf, leafIndex };
  }
  if (found.status === 'passed-over') return { integrity: 'inserted', row };
  if (stated !== null) return { integrity: 'unproved', row };
  return { integrity: segment === segments.at(-1) ? 'waiting' : 'inserted', row };
}

/** The entry that was signed at a position whose row is gone; undefined where there was none. @throws as {@link stateOfRow} */
export async function stateOfDeleted(
  segments: readonly AuditSegment[],
  position: number,
): Promise<AuditEntryState | undefined> {
  const segment = segmentHolding(segments, position);
  const found = segment === undefined ? undefined : await leafOfPosition(segment, position);
  if (found?.status !== 'found') return undefined;
  return { integrity: 'deleted', signed: found.leaf, leafIndex: found.leafIndex };
}

type FoundLeaf =
  | { readonly status: 'found'; readonly leafIndex: number; readonly leaf: AuditLeaf }
  /** The log has leaves of later positions. */
  | { readonly status: 'passed-over' }
  /** The log ends before the position. */
  | { readonly status: 'behind' };

/** Looks for the leaf of a position by halving: leaves are in the order of positions. */
async function leafOfPosition(segment: AuditSegment, position: number): Promise<FoundLeaf> {
  const { log } = segment;
  if (log === undefined) return { status: 'behind' };
  const { size } = log;
  let [low, high] = [firstRowLeaf(segment), size];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const leaf = await leafAt(log, middle);
    if (leaf?.position === position) return { status: 'found', leafIndex: middle, leaf };
    if (leaf !== undefined && leaf.position < position) low = middle + 1;
    else high = middle;
  }
  return { status: low < size ? 'passed-over' : 'behind' };
}

async function leafAt(log: MerkleLog, leafIndex: number): Promise<AuditLeaf | undefined> {
  const [entry] = await log.read(leafIndex, { maxEntries: 1 });
  return entry === undefined ? undefined : readLeaf(entry.octets);
}

/** The leaf of a position with its proof; undefined where the log has none. @throws as {@link stateOfRow} */
export async function provedLeaf(
  segments: readonly AuditSegment[],
  position: number,
  stated: number | null | undefined,
): Promise<ProvedEntry | undefined> {
  const segment = segmentHolding(segments, position);
  if (segment?.log === undefined) return undefined;
  if (typeof stated === 'number' && stated < segment.log.size) {
    const proved = await segment.log.prove(stated);
    if (readLeaf(proved.octets)?.position === position) return proved;
  }
  const found = await leafOfPosition(segment, position);
  return found.status === 'found' ? segment.log.prove(found.leafIndex) : undefined;
}
