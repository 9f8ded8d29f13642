import { durationText } from '../../core/text.js';
import type { PassportEvidence } from '../../core/verdict-evidence.js';
import { DEFAULT_QUERY_LIMIT } from '../../records/store/record-store.js';
import type { CallRecord, FoundRecords, RecordLookup } from '../../records/index.js';
import type { PartyNumber, HopSide } from '../../contract/call-record.js';
import { EXIT, optionSpecs, refuseOperands } from '../kit/command.js';
import type { CommandBody, ExitCode, OptionsOf } from '../kit/command.js';
import type { CliIo } from '../kit/node-io.js';
import { countText, factLines, report, textTable } from '../kit/output.js';
import { openExistingStore, STORE_NOTE, STORE_OPTIONS } from '../inputs/record-sources.js';
import {
  askedQuery,
  completenessDocument,
  completenessOf,
  isNotRetained,
  localTexts,
  missingLines,
  QUERY_NOTE,
  QUERY_OPTIONS,
  SECOND_US,
  timesOf,
  utcText,
  windowText,
} from '../inputs/records-query.js';
import type { AskedQuery, Completeness } from '../inputs/records-query.js';

/** How calls are shown. */
interface RecordLineOptions {
  /** Zone in which times are shown beside UTC. */
  readonly zone?: string | undefined;
  /** Whether the hash of the source, and its raw rows if they were kept, are shown. */
  readonly withRaw: boolean;
}

/**
 * Calls as a table, two lines each: when, who, how it went and what the signature was worth; below it the hops and the id.
 * @param records - at least one
 */
function callTable(records: readonly CallRecord[], { zone }: Pick<RecordLineOptions, 'zone'>): readonly string[] {
  const local = zone === undefined ? undefined : localTexts(zone);
  const rows = records.map((record) => [
    utcText(record.inviteAtUs),
    ...(local === undefined ? [] : [local(record.inviteAtUs)]),
    `${numberText(record.calling)} → ${numberText(record.called)}`,
    record.disposition,
    talkText(record),
    signatureText(record),
  ]);
  const zones = zone === undefined ? [] : [zone];
  const heading = ['began (UTC)', ...zones, 'calling → called', 'how', 'talked', 'signature'];
  const [head = '', ...lines] = textTable(heading, rows);
  return [
    head,
    ...records.flatMap((record, index) => [
      lines[index] ?? '',
      `    ${sideText(record.ingress)} → ${sideText(record.egress)}  ${record.recordId}`,
    ]),
  ];
}

/** Everything about one call. */
function detailLines(record: CallRecord, { zone, withRaw }: RecordLineOptions): readonly string[] {
  return factLines([
    ...timeFacts(record, zone),
    ['calling', partyText(record.calling)],
    ...fact('asserted', record.asserted === undefined ? undefined : partyText(record.asserted)),
    ['called', calledText(record)],
    ['from', sideText(record.ingress)],
    ['to', sideText(record.egress)],
    ...fact('Call-ID in', record.ingress.callId),
    ...fact('Call-ID out', record.egress.callId),
    ['how', record.disposition],
    ['talked', talkText(record)],
    ...fact('ended by', releaseText(record)),
    ...fact('blocked by', record.blockedBy),
    ['signature', signatureText(record)],
    ...(record.received?.evidence?.passports ?? []).map((passport) => ['passport', passportText(passport)] as const),
    ...fact('origid', record.received?.origId),
    ...fact('provider code', record.received?.spc),
    ...fact('signed here', ownText(record)),
    ...fact('customer', record.customerId),
    ['record', record.recordId],
    ['source', `${record.source.id}, ${record.source.format}, leg ${record.legId}`],
    ...fact('call', record.callGroupId === record.legId ? undefined : record.callGroupId),
    ...(withRaw ? rawFacts(record) : []),
  ]);
}

type Fact = readonly [string, string];

function fact(label: string, value: string | undefined): readonly Fact[] {
  return value === undefined ? [] : [[label, value]];
}

function timeFacts(
  { inviteAtUs, answeredAtUs, endedAtUs, time }: CallRecord,
  zone: string | undefined,
): readonly Fact[] {
  const local = zone === undefined ? undefined : localTexts(zone);
  const text = (us: number): string => (local === undefined ? utcText(us) : `${utcText(us)}  ${local(us)}`);
  const step =
    time.resolutionUs >= SECOND_US ? `${String(time.resolutionUs / SECOND_US)} s` : `${String(time.resolutionUs)} µs`;
  const written = time.zone === undefined ? time.written : `${time.written} time of ${time.zone}`;
  const other = time.otherInviteAtUs === undefined ? undefined : `${text(time.otherInviteAtUs)}: the hour came twice`;
  return [
    ['began', text(inviteAtUs)],
    ...fact('or', other),
    ...fact('answered', answeredAtUs === undefined ? undefined : text(answeredAtUs)),
    ...fact('ended', endedAtUs === undefined ? undefined : text(endedAtUs)),
    ['clock', `${written}, in steps of ${step}`],
  ];
}

const there = (...parts: readonly (string | undefined)[]): readonly string[] =>
  parts.filter((part) => part !== undefined);

function numberText(party: PartyNumber | undefined): string {
  return party?.tn ?? party?.asWritten ?? '(none)';
}

function partyText(party: PartyNumber | undefined): string {
  if (party === undefined) return '(none)';
  return party.tn === undefined || party.tn === party.asWritten
    ? party.asWritten
    : `${party.tn}, written ${party.asWritten}`;
}

function calledText({ called }: CallRecord): string {
  const more = [
    ['translated to', called?.translatedTn],
    ['location routing number', called?.lrn],
    ['prefix', called?.techPrefix],
  ] as const;
  return [
    partyText(called),
    ...more.flatMap(([label, value]) => (value === undefined ? [] : [`${label} ${value}`])),
  ].join(', ');
}

function sideText({ trunk, provider, address }: HopSide): string {
  return there(trunk, provider, address).join(' ') || '(unknown)';
}

function talkText({ answeredAtUs, endedAtUs }: CallRecord): string {
  if (answeredAtUs === undefined) return '-';
  if (endedAtUs === undefined) return 'end unknown';
  return durationText(Math.round((endedAtUs - answeredAtUs) / SECOND_US));
}

function signatureText({ received }: CallRecord): string {
  return there(received?.attestation, received?.verstat).join(' ') || 'none known';
}

/** `shaken passed`, `shaken failed: orig-mismatch` */
function passportText({ ppt, status, exceptions }: PassportEvidence): string {
  const reasons = exceptions.map(({ reason }) => reason).join(', ');
  return `${ppt ?? 'without type'} ${status}${reasons === '' ? '' : `: ${reasons}`}`;
}

function ownText({ signed }: CallRecord): string | undefined {
  if (signed === undefined) return undefined;
  const { attestation, origId, basis } = signed;
  return there(attestation, origId === undefined ? undefined : `origid ${origId}`, basis).join(', ');
}

function releaseText({ release }: CallRecord): string | undefined {
  if (release === undefined) return undefined;
  const { sipStatus, q850Cause, cause, party } = release;
  const sip = sipStatus === undefined ? undefined : `SIP ${String(sipStatus)}`;
  const q850 = q850Cause === undefined ? undefined : `Q.850 ${String(q850Cause)}`;
  const parts = there(party, sip, q850, cause);
  return parts.length === 0 ? undefined : parts.join(', ');
}

function rawFacts(record: CallRecord): readonly Fact[] {
  const rows = rawRows(record);
  const { sha256, readerVersion } = record.source;
  return [
    ['SHA-256', `${sha256}, read by version ${String(readerVersion)}`],
    ...(rows.length === 0 ? [['raw', 'not kept'] as const] : rows.map((row) => ['raw', row] as const)),
  ];
}

/** Raw rows of a record, where they were kept: text, or what is no text as base64. */
function rawRows({ source }: CallRecord): readonly string[] {
  const { raw } = source as { readonly raw?: unknown };
  if (!Array.isArray(raw)) return [];
  return raw.flatMap((row: unknown) => {
    const { text, base64 } = (row ?? {}) as { readonly text?: unknown; readonly base64?: unknown };
    if (typeof text === 'string') return [text];
    return typeof base64 === 'string' ? [`base64 ${base64}`] : [];
  });
}

/** A record for a document; its raw rows only where they were asked for, for they are long. */
function recordDocument(record: CallRecord, withRaw: boolean): unknown {
  if (withRaw) return record;
  const { raw: _raw, ...source } = record.source as CallRecord['source'] & { readonly raw?: unknown };
  return { ...record, source };
}

const OPTIONS = optionSpecs({
  ...STORE_OPTIONS,
  ...QUERY_OPTIONS,
  'complete-for <SOURCE...>':
    'sources that must be complete for "not found"; default all that the store knows, including those no longer in use',
  raw: 'show the hash of the source, and its raw rows if they were kept',
});

const FIND: CommandBody = {
  usage: [
    '--store DIR (--called TN|--calling TN|--call-id TEXT|...) --at TIME',
    '--store DIR --trunk NAME --from TIME --to TIME',
  ],
  options: OPTIONS,
  notes: [
    QUERY_NOTE,
    'If no call is found, the output says whether the store is complete for that time. If it is not, the output ' +
      `lists the missing times of each source. Telephone numbers are shown in full. ${STORE_NOTE}`,
    'Exit codes: 0 found; 1 not found, and the store is complete for that time; 2 command line or input not valid; 3 not found, and the store is not ' +
      'complete for that time; 4 the store is not usable.',
    '  hopback records find --called "(215) 555-0112" --at 2026-11-02T07:00 --zone America/New_York --tolerance 5m\n' +
      '  hopback records find --call-id a84b4c76e66710@pc33.example.com --json',
  ],
  run,
};

async function run(options: OptionsOf<typeof OPTIONS>, io: CliIo): Promise<ExitCode> {
  refuseOperands(options);
  const asked = askedQuery(options, io);
  await using store = await openExistingStore(options, io);
  const found = await findAll(store, asked);
  const completeness = await completenessOf(
    store,
    asked.windows,
    options.texts('complete-for'),
    io.clock.nowMs() * 1_000,
  );
  const withRaw = options.isOn('raw');
  const document = {
    format: 'hopback.records-find.1',
    exitCode: exitCodeOf(found, completeness),
    query: asked.keys,
    windows: asked.windows.map((window) => Object.assign({}, window, timesOf(window))),
    records: found.records.map((record) => recordDocument(record, withRaw)),
    isCut: found.isCut,
    completeness: completenessDocument(completeness),
  };
  return report(options, io, document, [
    ...answerLines(found.records, { asked, completeness }),
    ...recordLines(found.records, { zone: asked.zone, withRaw }),
    ...remarkLines(found, { asked, completeness }),
  ]);
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

function recordLines(records: readonly CallRecord[], options: RecordLineOptions): readonly string[] {
  const [only] = records;
  if (only === undefined) return [];
  if (records.length === 1) return detailLines(only, options);
  const table = callTable(records, options);
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

export const COMMANDS = { 'records find': FIND };
