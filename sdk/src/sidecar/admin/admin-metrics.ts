import { Counter, Gauge } from 'prom-client';
import type { Registry } from 'prom-client';
import type { IntakeState } from '../../records/index.js';

/**
 * Adds to a registry what the intake of records tells; it is asked when somebody reads.
 * @param registry - that is read
 * @param intake - its state, and the clock of its sources
 */
export function addIntakeMetrics(
  registry: Registry,
  { state, nowMs }: { readonly state: () => IntakeState; readonly nowMs: () => number },
): void {
  const registers = [registry];
  const spool: Gauge = new Gauge({
    name: 'stir_spool_records',
    help: 'Records that wait for the platform',
    registers,
    collect: () => spool.set(waitingRecords(state())),
  });
  const records: Counter<'source' | 'outcome'> = new Counter({
    name: 'hopback_records_total',
    help: 'Records of each source, by what became of them',
    labelNames: ['source', 'outcome'],
    registers,
    collect: () => {
      records.reset();
      for (const { id, inserted, repeated, rejected, lost } of state().sources)
        for (const [outcome, count] of Object.entries({ inserted, repeated, rejected, lost }))
          records.inc({ source: id, outcome }, count);
    },
  });
  const oldest: Gauge<'source'> = new Gauge({
    name: 'hopback_records_oldest_unread_seconds',
    help: 'Age of the oldest data of each source that are not read or not stored; 0 where there are none',
    labelNames: ['source'],
    registers,
    collect: () => {
      oldest.reset();
      for (const { id, oldestUnreadMs } of state().sources)
        oldest.set({ source: id }, oldestUnreadMs === undefined ? 0 : Math.max(0, nowMs() - oldestUnreadMs) / 1_000);
    },
  });
  const progress: Gauge<'source'> = new Gauge({
    name: 'hopback_records_last_progress_timestamp_seconds',
    help: 'When rows of each source were last read and stored, Unix time; when it was opened where there were none yet',
    labelNames: ['source'],
    registers,
    collect: () => {
      progress.reset();
      for (const { id, lastProgressMs } of state().sources) progress.set({ source: id }, lastProgressMs / 1_000);
    },
  });
}

function waitingRecords({ platform }: IntakeState): number {
  return platform === undefined ? 0 : platform.status.lastSequence - platform.status.acknowledgedSequence;
}
