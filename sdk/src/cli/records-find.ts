import { DEFAULT_QUERY_LIMIT } from '../records/index.js';
import type { CallRecord, FoundRecords, RecordLookup } from '../records/index.js';
import type { Command } from './command.js';
import { EXIT } from './exit-codes.js';
import type { ExitCode } from './exit-codes.js';
import type { CliIo } from './io.js';
import { refuseOperands } from './options.js';
import type { Options, OptionSpecs } from './options.js';
import { countText, printJson, printLines } from './output.js';
import { completenessDocument, completenessOf, isNotRetained, missingLines, timesOf } from './record-completeness.js';
import type { Completeness } from './record-completeness.js';
import { detailLines, recordDocument, tableLines } from './record-lines.js';
import { askedQuery, QUERY_NOTE, QUERY_OPTIONS } from './record-query-options.js';
import type { AskedQuery, QueryOption } from './record-query-options.js';
import { windowText } from './record-times.js';
import { openExistingStore, STORE_NOTE, STORE_OPTIONS } from './store-options.js';
import type { StoreOption } from './store-options.js';

type FindOption = StoreOption | QueryOption | 'complete-for' | 'raw';
type FindOptions = Options<FindOption | 'json'>;

const OPTIONS: OptionSpecs<FindOption> = {
  ...STORE_OPTIONS,
  ...QUERY_OPTIONS,
  'complete-for': {
    value: 'SOURCE',
    multiple: true,
    text: 'sources that "not found" has to hold for; default all that the store knows, those no longer in use included',
  },
  raw: { text: 'show the hash of the source, and its raw rows where they were kept' },
};

/** `hopback records find` */
export const recordsFindCommand: Command = {
  name: 'records find',
  summary: 'find calls, or say for which times the store cannot know',
  usage: [
    '--store DIR (--called TN|--calling TN|--call-id TEXT|...) --at TIME',
    '--store DIR --trunk NAME --from TIME --to TIME',
  ],
  options: OPTIONS,
  notes: [
    QUERY_NOTE,
    'Where nothing is found it says whether that means anything: the call was not there if the store is complete for the time; ' +
      'otherwise it names the stretches of each source for which nothing is known. Telephone numbers are shown in full. ' +
      STORE_NOTE,
    'Exit codes: 0 found; 1 not found, and the store is complete for that time; 2 not understood; 3 not found, and the store is not ' +
      'complete for that time; 4 the store is not usable.',
    '  hopback records find --called "(215) 555-0112" --at 2026-11-02T07:00 --zone America/New_York --tolerance 5m\n' +
      '  hopback records find --call-id a84b4c76e66710@pc33.example.com --json',
  ],
  run,
};

async function run(options: FindOptions, io: CliIo): Promise<ExitCode> {
  refuseOperands(options);
  const asked = askedQuery(options, io);
  await using store = await openExistingStore(options, io);
  const found = await findAll(store, asked);
  const completeness = await completenessOf(store, asked.windows, {
    sourceIds: options.texts('complete-for'),
    nowUs: io.clock.nowMs() * 1_000,
  });
  const exitCode = exitCodeOf(found, completeness);
  const withRaw = options.isOn('raw');
  if (options.isOn('json')) {
    printJson(io, {
      format: 'hopback.records-find.1',
      exitCode,
      query: asked.keys,
      windows: asked.windows.map((window) => Object.assign({}, window, timesOf(window))),
      records: found.records.map((record) => recordDocument(record, withRaw)),
      isCut: found.isCut,
      completeness: completenessDocument(completeness),
    });
  } else {
    printLines(io, [
      ...answerLines(found.records, { asked, completeness }),
      ...recordLines(found.records, { zone: asked.zone, withRaw }),
      ...remarkLines(found, { asked, completeness }),
    ]);
  }
  return exitCode;
}

/** What all windows hold, by time. */
async function findAll(
  store: RecordLookup,
  { keys, windows, limit = DEFAULT_QUERY_LIMIT }: AskedQuery,
): Promise<FoundRecords> {
  const records: CallRecord[] = [];
  const ids = new Set<string>();
  let isCut = false;
  for (const window of windows) {
    // One more than there is room for, where it is full already: whether there are more has to be known.
    const left = limit - records.length;
    const found = await store.find({ ...keys, window, limit: Math.max(left, 1) });
    // A record of a local time that comes twice is found around both instants.
    const fresh = found.records.filter(({ recordId }) => !ids.has(recordId));
    for (const { recordId } of fresh) ids.add(recordId);
    records.push(...fresh.slice(0, left));
    isCut ||= found.isCut || fresh.length > left;
  }
  return { records, isCut };
}

function exitCodeOf({ records }: FoundRecords, { isComplete }: Completeness): ExitCode {
  if (records.length > 0) return EXIT.ok;
  return isComplete ? EXIT.negative : EXIT.indeterminate;
}

interface Answered {
  readonly asked: AskedQuery;
  readonly completeness: Completeness;
}

function answerLines(records: readonly CallRecord[], { asked, completeness }: Answered): readonly string[] {
  const windows = asked.windows.map(windowText).join(' and ');
  const sought = Object.entries(asked.keys).map(([key, value]) => `${KEY_WORDS[key] ?? key} ${value}`);
  const looked = [`  looked for ${sought.join(', ')}`, `  began      ${windows}`];
  if (records.length > 0) return [`✓ ${countText(records.length, 'call')} found`, ...looked, ''];
  if (completeness.isComplete) return ['✗ not found, and the store is complete for that time', ...looked];
  return [
    isNotRetained(completeness)
      ? '? not found, for calls of that time are no longer kept: the call may have been there'
      : '? not found, and the store is not complete for that time: the call may have been there',
    ...looked,
    ...missingLines(completeness),
  ];
}

const KEY_WORDS: Readonly<Record<string, string>> = {
  calledTn: 'called',
  callingTn: 'calling',
  callId: 'Call-ID',
  origId: 'origid',
  trunk: 'trunk',
  recordId: 'record',
};

function recordLines(
  records: readonly CallRecord[],
  options: { readonly zone: string | undefined; readonly withRaw: boolean },
): readonly string[] {
  const [only] = records;
  if (only === undefined) return [];
  if (records.length === 1) return detailLines(only, options);
  const table = tableLines(records, options);
  return options.withRaw ? [...table, ...records.flatMap((record) => ['', ...detailLines(record, options)])] : table;
}

function remarkLines({ records, isCut }: FoundRecords, { asked, completeness }: Answered): readonly string[] {
  const cut = `! there are more than these ${String(records.length)}: narrow the time, or raise --limit`;
  const incomplete = '! the store is not complete for that time: there may be others';
  // There is one record of an id.
  const mayBeOthers = records.length > 0 && asked.keys.recordId === undefined && !completeness.isComplete;
  const remarks = [
    ...asked.remarks,
    ...(isCut ? [cut] : []),
    ...(mayBeOthers ? [incomplete, ...missingLines(completeness)] : []),
  ];
  return remarks.length === 0 ? [] : ['', ...remarks];
}
