import { loadavg } from 'node:os';
import { createAsteriskCdrReader } from '../../sdk/dist/records/ingest/formats/asterisk-cdr.js';
import { sized, type Bench, type BenchContext, type Figure } from './bench.js';
import { createRibbonActReader } from '../../sdk/dist/records/ingest/formats/ribbon-act.js';
import { asteriskRows, FILE_BYTES, measureImportMemory, measureReader, memoryFlatFigure } from './ingest-rows.js';
import { ribbonRows } from './ribbon-rows.js';

/** Rows of a switch's file in, call records out. */
export const bench: Bench = {
  name: 'ingest',
  description: 'rows of CDR files to call records on one core, hashes and ids included, beside csv-parse',
  figures: ['asterisk', 'ribbon', 'memory-flat'],
  quick: { seconds: 30 },
  run: measureIngest,
};

/** Distinct rows, some minutes of a busy switch. */
const ROWS = 20_000;
const START_MS = Date.UTC(2026, 10, 20, 12);

async function* measureIngest(context: BenchContext): AsyncGenerator<Figure> {
  context.progress(`load average ${loadavg()[0]?.toFixed(2) ?? '?'}`);
  if (context.wants('asterisk')) {
    const reader = createAsteriskCdrReader({
      id: 'bench',
      format: 'asterisk-cdr',
      time: { zone: 'America/New_York' },
      providers: { 'carrier-1': 'Upstream One', 'carrier-out': 'Downstream' },
    });
    yield await measureReader('asterisk', { reader, rows: asteriskRows(ROWS, START_MS), context });
  }
  if (context.wants('ribbon')) {
    const reader = createRibbonActReader({
      id: 'bench',
      format: 'ribbon-act',
      time: { zone: 'America/Chicago' },
      providers: { 'TG-IN-1': 'Upstream One', 'TG-OUT-A': 'Downstream' },
    });
    yield await measureReader('ribbon', { reader, rows: ribbonRows(ROWS), context });
  }
  if (context.wants('memory-flat')) {
    const reader = createAsteriskCdrReader({ id: 'pbx', format: 'asterisk-cdr', time: { zone: 'utc' } });
    yield memoryFlatFigure(await measureImportMemory(reader, sized(context, FILE_BYTES)));
  }
}
