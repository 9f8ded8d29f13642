import { stat } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { RecordIntake } from '../../sdk/src/records/intake/open-record-intake.js';
import { reportFault } from '../support/fault-counts.js';
import { FORMAT_SAMPLES, formatRows, formatSource, isEnded, writePackedPiecesOld } from '../support/packed-records.js';
import { testFolder } from '../support/test-folder.js';

const MEGABYTE = 1_048_576;
const SIZE_MB = 100;
/** A busy machine with one processor reads and stores some MB a second. */
const PATIENCE_MS = 60_000 + SIZE_MB * 10_000;

const directory = testFolder();

test.each(Object.keys(FORMAT_SAMPLES))(
  'a rotated file of %s of 100 MB, packed, is read to its end beside another source',
  async (format) => {
    const piece = formatRows(format, MEGABYTE);
    const packed = directory.at('large.log.1.gz');
    await writePackedPiecesOld(
      packed,
      Array.from({ length: SIZE_MB }, () => piece),
    );
    const other = format === 'asterisk-cdr' ? 'freeswitch-csv' : 'asterisk-cdr';
    await writePackedPiecesOld(directory.at('small.log.1.gz'), [formatRows(other, MEGABYTE)]);
    await using intake = await RecordIntake.open({
      directory: directory.at('store'),
      sources: [formatSource(format, directory.at('large.log')), formatSource(other, directory.at('small.log'))],
      clock: { nowMs: Date.now },
    });
    expect(await isEnded(intake.look(), PATIENCE_MS)).toBe(true);
    const [large, small] = intake.state().sources;
    expect(large).toMatchObject({ brokenFiles: 0, unreadFiles: 0, failures: 0 });
    expect(small?.rows).toBeGreaterThan(100);
    // Every copy of the piece has as many rows, but for one that ends in the next.
    expect(large?.rows).toBeGreaterThanOrEqual(100 * SIZE_MB);
    reportFault('packed-file-read', {
      format,
      packedBytes: (await stat(packed)).size,
      rows: large?.rows ?? 0,
      records: large?.records ?? 0,
      rejected: large?.rejected ?? 0,
    });
  },
  2 * PATIENCE_MS,
);
