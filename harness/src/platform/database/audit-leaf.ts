import { canonicalJson } from '@hopback/sdk/traceback';
import type { Selectable } from 'kysely';
import type { CoreTables } from '../core/index.js';

/** A row of the audit. */
export type AuditRow = Selectable<CoreTables['core_audit']>;

/** An entry of the audit as a leaf of the Merkle log has it: all of the row but where it is in the log. */
export interface AuditLeaf {
  readonly format: 'hopback-audit-1';
  readonly position: number;
  readonly atMs: number;
  readonly action: string;
  readonly organizationId: string;
  readonly actor: string;
  readonly object: string;
  readonly details: unknown;
}

/** The octets of the leaf of a row, as text: canonical JSON (RFC 8785), so that whoever has the row can make them. */
export function auditLeafText(row: Omit<AuditRow, 'leaf_index'>): string {
  const leaf: AuditLeaf = {
    format: 'hopback-audit-1',
    position: row.position,
    atMs: row.at_ms,
    action: row.action,
    organizationId: row.organization_id,
    actor: row.actor,
    object: row.object,
    details: row.details,
  };
  return canonicalJson(leaf);
}

/** The position of the row that a leaf is of; undefined where it is no leaf of an audit. Never throws. */
export function positionOfLeaf(octets: Uint8Array): number | undefined {
  try {
    const read = JSON.parse(Buffer.from(octets).toString('utf8')) as Partial<AuditLeaf> | null;
    if (read?.format !== 'hopback-audit-1' || !Number.isSafeInteger(read.position)) return undefined;
    return read.position;
  } catch {
    return undefined;
  }
}
