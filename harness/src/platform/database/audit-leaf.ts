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

/** Reads a leaf; undefined where it is not the entry of a row. Never throws. */
export function readLeaf(octets: Uint8Array): AuditLeaf | undefined {
  try {
    const read = JSON.parse(Buffer.from(octets).toString('utf8')) as Partial<AuditLeaf> | null;
    return read?.format === 'hopback-audit-1' && Number.isSafeInteger(read.position) ? (read as AuditLeaf) : undefined;
  } catch {
    return undefined;
  }
}

/** The position of the row that a leaf is of; undefined where it is not the entry of a row. Never throws. */
export const positionOfLeaf = (octets: Uint8Array): number | undefined => readLeaf(octets)?.position;
