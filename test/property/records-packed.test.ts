import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { importFiles } from '../../sdk/src/records/ingest/import-files.js';
import { createCountingStore, createRejectList, createRowReader, rowText } from '../support/followed-rows.js';
import { testFolder } from '../support/test-folder.js';
import { forAllAsync } from '../support/for-all.js';

const folder = testFolder();

/** Imports octets as a file named .gz. @returns what became of the file, and the legs in the order in which they came */
async function imported(octets: Uint8Array) {
  const path = await folder.write('cdr.csv.gz', octets);
  const store = createCountingStore();
  const rejects = createRejectList();
  const options = { sourceId: 'test-switch', reader: createRowReader(), store, rejects };
  const { files } = await importFiles([path], options);
  return { file: files[0], legs: [...store.times.keys()], rejected: rejects.rows.length };
}

/** Rows in members of these counts. */
function packed(members: readonly number[]): { readonly octets: Buffer; readonly legs: readonly string[] } {
  const legs: string[] = [];
  const octets = members.map((count) => {
    const rows = Array.from({ length: count }, (_, at) => legs.length + at);
    legs.push(...rows.map((n) => `leg-${n}`));
    return gzipSync(rows.map((n) => `${rowText(n)}\n`).join(''), { level: count % 10 });
  });
  return { octets: Buffer.concat(octets), legs };
}

const members = fc.array(fc.integer({ min: 0, max: 3_000 }), { minLength: 1, maxLength: 5 });

test('members and padding are read to their end', async () => {
  await forAllAsync([members, fc.integer({ min: 0, max: 600 })], 25, async (counts, zeros) => {
    const { octets, legs } = packed(counts);
    const { file, ...read } = await imported(Buffer.concat([octets, Buffer.alloc(zeros)]));
    expect({ status: file?.status, ...read }).toEqual({ status: 'imported', legs, rejected: 0 });
  });
});

test('octets behind the last member cost no row of the members', async () => {
  await forAllAsync([members, fc.uint8Array({ minLength: 1, maxLength: 600 })], 25, async (counts, trailing) => {
    const { octets, legs } = packed(counts);
    const { file, ...read } = await imported(Buffer.concat([octets, trailing]));
    expect(read.legs.slice(0, legs.length)).toEqual(legs);
    if (trailing.some((octet) => octet !== 0)) expect(file?.status).toBe('damaged');
  });
});

test('of a file that is cut the rows before the cut are read, in their order and no others', async () => {
  await forAllAsync([members, fc.double({ min: 0, max: 1, noNaN: true })], 40, async (counts, share) => {
    const { octets, legs } = packed(counts);
    const read = await imported(octets.subarray(0, Math.floor(octets.length * share)));
    expect(read.legs).toEqual(legs.slice(0, read.legs.length));
    expect(read.rejected).toBe(0);
  });
});

test('a file with an octet changed is read to its end or told to be damaged, and always ends', async () => {
  await forAllAsync([members, fc.nat(), fc.integer({ min: 1, max: 255 })], 40, async (counts, place, change) => {
    const { octets } = packed(counts);
    const at = place % octets.length;
    octets[at] = (octets[at] ?? 0) ^ change;
    const { file } = await imported(octets);
    expect(['imported', 'damaged', 'not-gzip']).toContain(file?.status);
  });
});
