import type { Mutant } from './mutant.js';

const AT = 'sdk/dist/records';

/** Defects of call records: their times, the store, what leaves and what arrives. */
export const RECORD_MUTANTS: readonly Mutant[] = [
  {
    name: 'records-in-local-time',
    suffers: 'Records are five hours behind, and tracebacks look for calls where there are others, or none.',
    file: 'sdk/dist/switch/calls/call-tracker.js',
    text: 'nowUs: () => Math.max(0, Math.floor(clock.nowMs())) * 1_000,',
    replacement: 'nowUs: () => Math.max(0, Math.floor(clock.nowMs()) - 18_000_000) * 1_000,',
    scenarios: ['direct', 'three-hops'],
  },
  {
    // A minute of an hour, where an hour is as short as a scenario is: each fifth second.
    name: 'store-loses-a-minute',
    suffers:
      'Records of a time that is said to be complete are not there, so the carrier denies calls that it carried.',
    file: `${AT}/store/memory-record-store.js`,
    text: 'const inserted = records.add(fresh);',
    replacement:
      'records.add(fresh.filter(({ inviteAtUs }) => Math.floor(inviteAtUs / 1_000_000) % 5 !== 3)); const inserted = fresh.length;',
    scenarios: ['direct', 'three-hops', 'five-hops'],
  },
  {
    name: 'store-overlooks-gaps',
    suffers: 'The carrier says that there was no such call, of a time of which it has no records.',
    file: `${AT}/store/record-store.js`,
    text: `    if (next <= window.toUs)\n        gaps.push({ fromUs: next, toUs: window.toUs });\n    return gaps;`,
    replacement: '    return [];',
    needsPlatform: true,
    scenarios: ['record-gap'],
  },
  {
    name: 'stream-repeats-records',
    suffers: 'Every batch brings one record a second time.',
    file: `${AT}/stream/delivery.js`,
    text: 'this.#tally.trouble = undefined;\n        this.#settle(sender, count);',
    replacement:
      'this.#tally.trouble = undefined;\n        this.#settle(sender, Math.max(1, count - (this.#tally.batches % 2)));',
    needsPlatform: true,
    scenarios: ['three-hops', 'campaign-while-carriers-crash', 'everything'],
  },
  {
    name: 'stream-drops-batches',
    suffers: 'A third of all batches never reaches the platform, and nobody is told.',
    file: `${AT}/stream/delivery.js`,
    text: 'const result = await delivered(transport, sender.batch, this.#closing.signal);',
    replacement: `const result = this.#tally.requests % 3 === 2 ? { status: 'acknowledged', rejected: [] } : await delivered(transport, sender.batch, this.#closing.signal);`,
    needsPlatform: true,
    scenarios: ['three-hops', 'campaign-while-carriers-crash', 'everything'],
  },
  {
    name: 'sharing-shows-called-numbers',
    suffers: 'The platform learns whom the subscribers of a carrier are, which its policy forbids.',
    file: `${AT}/redaction/sharing-policy.js`,
    text: `as: isFull ? 'whole' : 'pseudonym',`,
    replacement: `as: 'whole',`,
    needsPlatform: true,
    scenarios: ['three-hops', 'campaign-while-carriers-crash', 'everything'],
  },
  {
    name: 'sharing-names-customers',
    suffers: "The carrier's customers leave the house with each record.",
    file: `${AT}/redaction/sharing-policy.js`,
    text: `customerId: dropped('customer-never-leaves'),`,
    replacement: `customerId: FACT,`,
    needsPlatform: true,
    scenarios: ['direct', 'everything'],
  },
  {
    name: 'sharing-ignores-suspicion',
    suffers: 'Ordinary calls leave a carrier that shares suspicious ones.',
    file: `${AT}/redaction/share-record.js`,
    text: 'return { isShared: isEnough, level, decidedBy, reason };',
    replacement: 'return { isShared: true, level, decidedBy, reason };',
    needsPlatform: true,
    scenarios: ['partial-adoption', 'everything'],
  },
];
