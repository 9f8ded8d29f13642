import { closeSync, existsSync, fdatasyncSync, openSync, readFileSync, truncateSync, writeSync } from 'node:fs';
import type { CallRecord } from '../../sdk/src/contract/call-record.js';
import type { Inserted } from '../../sdk/src/records/store/record-store.js';

/**
 * Opens the smallest store that keeps what it has said to keep: a line for each leg, synced before it answers. The half line of a writer that was
 * killed goes.
 */
export function openRowLedger(path: string) {
  const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  if (whole.length < text.length) truncateSync(path, whole.length);
  const legs = new Set(whole.split('\n'));
  const file = openSync(path, 'a');
  return {
    async insert(records: readonly CallRecord[]): Promise<Inserted> {
      const fresh = [...new Set(records.map(({ legId }) => legId))].filter((leg) => !legs.has(leg));
      if (fresh.length > 0) writeSync(file, `${fresh.join('\n')}\n`);
      fdatasyncSync(file);
      for (const leg of fresh) legs.add(leg);
      return { inserted: fresh.length, repeated: records.length - fresh.length, expired: 0 };
    },
    cover: async () => undefined,
    close: (): void => closeSync(file),
  };
}

/** Legs in a ledger, in the order in which they came, repeats included. */
export function legsInLedger(path: string): readonly string[] {
  const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .slice(0, -1);
}
