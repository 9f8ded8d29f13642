import { parseBoundedJson } from '../../core/json-text.js';
import type { WaitingCall } from './kamailio-calls.js';
import type { SourceRow } from './record-reader.js';

/** First line of what is saved: rows that were written by another version are not gone on from. */
const FORMAT = 'hopback.kamailio-acc.1';
/** As long as a row may be, written as JSON within JSON. */
const LIMITS = { maxChars: 200_000, maxDepth: 2, maxEntries: 8 };
const SHA256 = /^[0-9a-f]{64}$/;

/** Writes the rows that wait as text, one a line: read again, they wait as they did. */
export function saveAccRows(calls: readonly WaitingCall[]): string {
  const lines = [FORMAT];
  for (const { dialogs, cdrs, cancel } of calls) {
    const rows = [
      ...dialogs.flatMap(({ invite, crossings = [], bye }) => [invite, ...crossings, bye]),
      ...cdrs,
      cancel,
    ];
    for (const timed of rows) {
      if (timed === undefined) continue;
      const { text, sha256, line } = timed.row.source;
      lines.push(JSON.stringify([text, sha256, line]));
    }
  }
  return lines.join('\n');
}

/** Reads what {@link saveAccRows} wrote. Never throws. @returns undefined where it is anything else */
export function savedAccRows(saved: string): readonly SourceRow[] | undefined {
  const [format, ...lines] = saved.split('\n');
  if (format !== FORMAT) return undefined;
  const rows: SourceRow[] = [];
  for (const written of lines) {
    const parsed = parseBoundedJson(written, LIMITS);
    if (parsed.status === 'malformed' || !Array.isArray(parsed.value)) return undefined;
    const [text, sha256, line] = parsed.value as readonly unknown[];
    if (typeof text !== 'string' || typeof sha256 !== 'string' || !SHA256.test(sha256)) return undefined;
    if (typeof line !== 'number') return undefined;
    rows.push({ text, sha256, line });
  }
  return rows;
}
