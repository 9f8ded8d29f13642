import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createFilingDirectory, readFilingList } from '../../sdk/src/switch/index.js';

const HEADER = 'number,business_name,frn,removed_on\n';
const line = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc
    .tuple(fc.nat(999), fc.string({ maxLength: 12 }), fc.nat(999))
    .map(([one, name, two]) => `RMD${one},${name},${two},`),
);

test('whatever a file of filings holds, it is read, and nobody who has a line in it is absent', () => {
  fc.assert(
    fc.property(fc.array(line, { maxLength: 20 }), fc.boolean(), fc.nat(999), (lines, hasHeader, number) => {
      const csv = `${hasHeader ? HEADER : ''}${lines.join('\n')}\n`;
      const directory = createFilingDirectory({
        trunks: { t: { frn: String(number) } },
        leastFilings: 0,
        clock: { nowMs: () => 0 },
      });
      const load = directory.load(csv, { listedAtMs: 0 });
      const reading = readFilingList(csv);
      if (reading.status === 'unreadable') expect(load.status).toBe('refused');
      const isMentioned = csv.includes(String(number));
      if (isMentioned && directory.filingOfTrunk('t') === 'absent')
        // Only as a part of another number, or in a name.
        expect(reading.status === 'read' && reading.filings.every(({ frn }) => Number(frn) !== number)).toBe(true);
    }),
  );
});

test('any octets are read', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      expect(['read', 'unreadable']).toContain(readFilingList(bytes).status);
      const behind = Buffer.concat([Buffer.from(HEADER), bytes]);
      expect(readFilingList(behind).status).toBe('read');
    }),
  );
});
