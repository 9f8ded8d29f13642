import type { RecordsCount } from './expected-records.js';
import type { Metric } from './findings.js';
import type { Judging } from './judging.js';
import { rate } from './spread.js';

/** Holds how many records there are against how many there have to be, and what the platform has against what was sent to it. */
export function judgeRecords(
  { plan, facts, findings }: Judging,
  expected: RecordsCount,
): Readonly<Record<'records_complete' | 'records_streamed', Metric>> {
  const complete = { good: 0, of: 0 };
  const streams = { good: 0, of: 0 };
  const shares = new Map(plan.providers.map((provider) => [provider.id, provider.shares]));
  for (const { provider, stored, streamed, received } of facts.records) {
    const { least, shared, most } = expected.of(provider);
    // What is there twice is as wrong as what is missing.
    complete.good += Math.max(0, Math.min(stored, least) - Math.max(0, stored - most));
    complete.of += least;
    if (stored < least || stored > most) {
      const range = least === most ? `${least}` : most === Infinity ? `${least} or more` : `${least} to ${most}`;
      findings.add({
        kind: 'record',
        provider,
        expected: `${range} records of its calls`,
        seen: `${stored} are stored`,
      });
    }
    // A record that is not stored is missed as a record, not once more as one that is shared.
    const due = Math.max(streamed, shared - Math.max(0, least - stored));
    if (shares.get(provider) === 'nothing' && Math.max(streamed, received) > 0) {
      streams.of += Math.max(streamed, received);
      const seen = `${streamed} were sent, ${received} are there`;
      findings.add({ kind: 'stream', provider, expected: 'nothing of its calls goes to the platform', seen });
      continue;
    }
    streams.good += Math.max(0, due - Math.abs(received - due));
    streams.of += due;
    if (received !== due) {
      const seen = `the platform has ${received}`;
      findings.add({ kind: 'stream', provider, expected: `the platform has ${due} records, each once`, seen });
    }
  }
  return { records_complete: rate(complete.good, complete.of), records_streamed: rate(streams.good, streams.of) };
}
