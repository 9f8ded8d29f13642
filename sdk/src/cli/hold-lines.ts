import type { HoldAuditEntry, LegalHold } from '../records/index.js';
import { countText } from './output.js';
import { utcText, windowText } from './record-times.js';

/** A hold in force, for people. */
export function holdLines({ holdId, reason, query, placedAtUs, untilUs, count }: LegalHold): readonly string[] {
  const { window, limit: _limit, ...keys } = query;
  const until = untilUs === undefined ? 'until it is released' : `until ${utcText(untilUs)}`;
  const sought = Object.entries(keys).map(([key, value]) => `${key} ${value}`);
  return [
    `${holdId}: ${countText(count, 'record')}, ${reason}`,
    `  placed ${utcText(placedAtUs)}, ${until}`,
    `  ${sought.join(', ')}, ${windowText(window)}`,
  ];
}

/** A line of the audit, for people. */
export function auditLine({ action, holdId, atUs, by, reason, count }: HoldAuditEntry): string {
  const who = by === undefined ? '' : ` by ${by}`;
  return `${utcText(atUs)}  ${action.padEnd('released'.length)}  ${holdId}, ${countText(count, 'record')}${who}: ${reason}`;
}
