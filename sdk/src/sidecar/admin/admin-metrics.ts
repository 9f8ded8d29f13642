import { Counter, Gauge } from 'prom-client';
import type { Registry } from 'prom-client';
import type { IntakeState } from '../../records/index.js';

/**
 * Adds to a registry what the intake of records tells; it is asked when somebody reads.
 * @param registry - that is read
 * @param state - of the intake
 */
export function addIntakeMetrics(registry: Registry, state: () => IntakeState): void {
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
}

function waitingRecords({ platform }: IntakeState): number {
  return platform === undefined ? 0 : platform.status.lastSequence - platform.status.acknowledgedSequence;
}
