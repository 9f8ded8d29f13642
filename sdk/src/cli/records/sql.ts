import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { moveFile } from '../../core/runtime/whole-file.js';
import { dateOf, dayOf } from '../../records/store/duckdb/partition-rows.js';
import { storageFailed } from '../../records/store/duckdb/duckdb-module.js';
import { RECORD_COLUMNS, RECORD_COLUMNS_VERSION } from '../../records/store/record-columns.js';
import { DAY_US } from '../../records/store/record-store.js';
import { openRecordTable } from '../../records/store/record-table.js';
import type { SqlResult } from '../../records/store/record-table.js';
import type { SharedRecordStore, TimeWindow } from '../../records/index.js';
import { optionSpecs, refuseOperands, UsageError } from '../kit/command.js';
import type { CommandBody, ExitCode, OptionsOf } from '../kit/command.js';
import { shownText } from '../kit/node-io.js';
import type { CliIo } from '../kit/node-io.js';
import { countText, report, textTable } from '../kit/output.js';
import { openExistingStore, STORE_NOTE, STORE_OPTIONS } from '../inputs/record-sources.js';
import { checkZone, timesOf, utcText, windowOption, windowText } from '../inputs/records-query.js';

const WINDOW_OPTIONS = optionSpecs({
  ...STORE_OPTIONS,
  'from <TIME>':
    'when the first call began: ISO 8601 with Z or an offset, or local time with --zone; default a day before now',
  'to <TIME>': 'when the last call began; default now',
  'zone <ZONE>': 'zone of times without an offset: America/New_York',
});

function windowOf(options: OptionsOf<typeof WINDOW_OPTIONS>, io: CliIo): TimeWindow {
  const zone = options.text('zone');
  checkZone(zone);
  const nowUs = io.clock.nowMs() * 1_000;
  const isNamed = options.text('from') !== undefined || options.text('to') !== undefined;
  return isNamed ? windowOption(options, zone, nowUs) : { fromUs: nowUs - DAY_US, toUs: nowUs };
}

/** Rows that are shown where nothing else is said, and at most. */
const DEFAULT_ROWS = 1_000;
const MAX_ROWS = 1_000_000;

const SQL_OPTIONS = optionSpecs({
  ...WINDOW_OPTIONS,
  'limit <N>': `maximum number of rows, up to ${String(MAX_ROWS)}; default ${String(DEFAULT_ROWS)}`,
});

const SQL: CommandBody = {
  usage: ['--store DIR [--from TIME [--to TIME]] "SELECT ... FROM records"'],
  options: SQL_OPTIONS,
  notes: [
    'The table records is a copy of the calls that began in the given time, one row for each leg; times are UTC. DESCRIBE records lists ' +
      `its columns. The dialect is that of DuckDB. The statement must be one SELECT; it cannot reach files or change the store. ${STORE_NOTE}`,
    'Exit codes: 0 shown; 2 command line not valid, or the statement is refused; 4 the store is not usable.',
    '  hopback records sql --store records/ "SELECT ingress_trunk, count(*) AS calls FROM records GROUP BY ALL ORDER BY calls DESC"\n' +
      '  hopback records sql --store records/ --from 2026-11-02T00:00Z --to 2026-11-03T00:00Z \\\n' +
      '    "SELECT * FROM records WHERE attestation = \'C\' AND talk_seconds < 6"',
  ],
  run: runSql,
};

async function runSql(options: OptionsOf<typeof SQL_OPTIONS>, io: CliIo): Promise<ExitCode> {
  const [sql, ...more] = options.operands;
  if (sql === undefined || more.length > 0)
    throw new UsageError('give one statement, in quotes: hopback records sql --store DIR "SELECT ..."');
  const window = windowOf(options, io);
  const limit = options.number('limit', 1, MAX_ROWS) ?? DEFAULT_ROWS;
  const stopped = io.stopSignal();
  await using store = await openExistingStore(options, io);
  await using table = await openRecordTable();
  const records = await table.load(store, window, stopped);
  const result = await table.select(sql, limit, stopped);
  const { columns, rows, isCut } = result;
  const asked = { window: Object.assign({}, window, timesOf(window)), records };
  return report(options, io, { format: 'hopback.records-sql.1', ...asked, columns, rows, isCut }, [
    ...tableLines(result),
    '',
    `${countText(rows.length, 'row')}${isCut ? ' and more: raise --limit' : ''}, of ${countText(records, 'record')} from ${windowText(window)}`,
  ]);
}

function tableLines({ columns, rows }: SqlResult): readonly string[] {
  return textTable(
    columns.map(({ name }) => name),
    rows.map((row) => row.map(cellText)),
  );
}

/** Longest text of a cell; `--json` has all of it. */
const CELL_CHARS = 80;

function cellText(value: unknown): string {
  if (value === null || value === undefined) return '';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > CELL_CHARS ? `${text.slice(0, CELL_CHARS - 1)}…` : text;
}

const EXPORT_OPTIONS = optionSpecs({
  ...WINDOW_OPTIONS,
  'parquet <FOLDER>': 'folder to write to; created if it does not exist. Files of these days are replaced',
});

const EXPORT: CommandBody = {
  usage: ['--store DIR --parquet FOLDER [--from TIME [--to TIME]]'],
  options: EXPORT_OPTIONS,
  notes: [
    'Writes one Parquet file for each UTC day that has calls, such as records-2026-11-02.parquet, with the columns of hopback records sql. A file ' +
      `always holds the whole day: --from and --to name the first and the last one, by default yesterday and today. The store keeps its records. ${STORE_NOTE}`,
    'Exit codes: 0 written, 2 command line not valid, 4 the store or the folder is not usable.',
    '  hopback records export --store records/ --parquet lake/ --from 2026-11-01T00:00Z --to 2026-11-30T23:59:59Z',
  ],
  run: runExport,
};

interface ExportedFile {
  readonly path: string;
  readonly records: number;
}

async function runExport(options: OptionsOf<typeof EXPORT_OPTIONS>, io: CliIo): Promise<ExitCode> {
  refuseOperands(options);
  const folder = options.needed('parquet', 'say where to: --parquet FOLDER');
  const { fromUs, toUs } = windowOf(options, io);
  const window = { fromUs: dayOf(fromUs) * DAY_US, toUs: (dayOf(toUs) + 1) * DAY_US - 1 };
  const stopped = io.stopSignal();
  await using store = await openExistingStore(options, io);
  await mkdir(folder, { recursive: true }).catch((error: unknown) => {
    throw storageFailed(`make the folder ${shownText(folder)}`, error);
  });
  const files: ExportedFile[] = [];
  for await (const ofDay of daysOf(store, window)) {
    await using table = await openRecordTable();
    const records = await table.load(store, ofDay, stopped);
    const path = join(folder, `records-${dateOf(dayOf(ofDay.fromUs))}.parquet`);
    await replaced(path, (temporary) => table.writeParquet(temporary));
    files.push({ path, records });
  }
  const columns = { version: RECORD_COLUMNS_VERSION, names: RECORD_COLUMNS.map(({ name }) => name) };
  const document = { format: 'hopback.records-export.1', window: timesOf(window), columns, files };
  return report(options, io, document, [
    ...files.map(({ path, records }) => `✓ ${shownText(path)}: ${countText(records, 'record')}`),
    ...(files.length === 0 ? [`! no call began from ${utcText(window.fromUs)} to ${utcText(window.toUs)}`] : []),
  ]);
}

/** The part of the window in each day that has records. */
async function* daysOf(store: SharedRecordStore, { fromUs, toUs }: TimeWindow): AsyncGenerator<TimeWindow> {
  for (let from = fromUs; from <= toUs;) {
    const [first] = (await store.page({ window: { fromUs: from, toUs }, limit: 1 })).records;
    if (first === undefined) return;
    const day = dayOf(first.inviteAtUs);
    yield { fromUs: day * DAY_US, toUs: (day + 1) * DAY_US - 1 };
    from = (day + 1) * DAY_US;
  }
}

/** Nobody sees half a file. */
async function replaced(path: string, write: (temporary: string) => Promise<void>): Promise<void> {
  const temporary = `${path}.tmp`;
  try {
    await write(temporary);
    await moveFile(temporary, path);
  } catch (error) {
    throw storageFailed(`write ${shownText(path)}`, error);
  } finally {
    await rm(temporary, { force: true });
  }
}

export const COMMANDS = { 'records sql': SQL, 'records export': EXPORT };
