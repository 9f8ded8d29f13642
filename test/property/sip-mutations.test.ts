import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { createStreamFramer } from '../../harness/src/drachtio/message/parse-message.js';
import { readDatagram, readParsed, type Reading } from '../../harness/src/drachtio/received.js';
import { expectSoundForwarding, expectSoundMessage, expectSoundRefusal } from '../support/sip-invariants.js';
import { MUTATED_MESSAGES, mutants, sipCorpus } from '../support/sip-mutations.js';
import { arrivalOn, fakeFlow } from '../support/sip-samples.js';

// fast-check names seed and path where something fails, and the line that the run prints names the seed too.
const SEED = Date.now() % 2 ** 31;
const RUNS = MUTATED_MESSAGES.inTests;

test(`${RUNS} mutated messages, as datagrams and as streams: nothing is thrown, and what is read or refused is sound`, () => {
  const [udp, tcp] = [fakeFlow('udp'), fakeFlow('tcp')];
  const counts = { read: 0, answered: 0, dropped: 0, nothing: 0, framed: 0, faults: 0 };
  let slowestMs = 0;
  const timed = <T>(work: () => T): T => {
    const startMs = performance.now();
    const result = work();
    slowestMs = Math.max(slowestMs, performance.now() - startMs);
    return result;
  };
  const examine = (reading: Reading): void => {
    if (reading.status === 'read') {
      counts.read += 1;
      expectSoundMessage(reading.received);
      expectSoundForwarding(reading.received);
    } else if (reading.status === 'refused') {
      counts[reading.response === undefined ? 'dropped' : 'answered'] += 1;
      expectSoundRefusal(reading);
    } else counts.nothing += 1;
  };
  let index = 0;
  fc.assert(
    fc.property(mutants(sipCorpus()), (text) => {
      index += 1;
      // By turns, so that each run is one message.
      if (index % 2 === 0) {
        examine(timed(() => readDatagram(text, arrivalOn(udp))));
        return;
      }
      for (const event of timed(() => createStreamFramer().push(text))) {
        if (event.kind === 'fault') counts.faults += 1;
        if (event.kind !== 'message') continue;
        counts.framed += 1;
        const { parsed } = event;
        examine(timed(() => readParsed(parsed, arrivalOn(tcp))));
      }
    }),
    { numRuns: RUNS, seed: SEED },
  );
  process.stdout.write(
    `sip mutations: ${RUNS}, seed ${SEED}, ${JSON.stringify(counts)}, slowest ${slowestMs.toFixed(2)} ms\n`,
  );
  // Mutations that let nothing through, or everything, would show nothing.
  expect(counts.read).toBeGreaterThan(RUNS / 20);
  expect(counts.answered).toBeGreaterThan(RUNS / 20);
  expect(counts.dropped).toBeGreaterThan(RUNS / 50);
  expect(counts.faults).toBeGreaterThan(RUNS / 50);
});
