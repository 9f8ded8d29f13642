import type { PassportEvidence } from '../core/call-record.js';
import type { CallRecord, HopSide, PartyNumber } from '../records/index.js';
import { durationText, factLines } from './output.js';
import { localTexts, SECOND_US, utcText } from './record-times.js';

/** How calls are shown. */
export interface RecordLineOptions {
  /** Zone in which times are shown beside UTC. */
  readonly zone?: string | undefined;
  /** Whether the hash of the source, and its raw rows where they were kept, are shown. */
  readonly withRaw: boolean;
}

/**
 * Calls as a table, two lines each: when, who, how it went and what the signature was worth; below it the hops and the id.
 * @param records - at least one
 */
export function tableLines(
  records: readonly CallRecord[],
  { zone }: Pick<RecordLineOptions, 'zone'>,
): readonly string[] {
  const local = zone === undefined ? undefined : localTexts(zone);
  const rows = records.map((record) => [
    utcText(record.inviteAtUs),
    ...(local === undefined ? [] : [local(record.inviteAtUs)]),
    `${numberText(record.calling)} → ${numberText(record.called)}`,
    record.disposition,
    talkText(record),
    signatureText(record),
  ]);
  const heading = [
    'began (UTC)',
    ...(zone === undefined ? [] : [zone]),
    'calling → called',
    'how',
    'talked',
    'signature',
  ];
  const widths = heading.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `  ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd();
  return [
    line(heading),
    ...records.flatMap((record, index) => [
      line(rows[index] ?? []),
      `    ${sideText(record.ingress)} → ${sideText(record.egress)}  ${record.recordId}`,
    ]),
  ];
}

/** Everything about one call. */
export function detailLines(record: CallRecord, { zone, withRaw }: RecordLineOptions): readonly string[] {
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
  return [
    ['began', text(inviteAtUs)],
    ...fact(
      'or',
      time.otherInviteAtUs === undefined ? undefined : `${text(time.otherInviteAtUs)}: the hour came twice`,
    ),
    ...fact('answered', answeredAtUs === undefined ? undefined : text(answeredAtUs)),
    ...fact('ended', endedAtUs === undefined ? undefined : text(endedAtUs)),
    ['clock', `${written}, in steps of ${step}`],
  ];
}

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
  return [trunk, provider, address].filter((part) => part !== undefined).join(' ') || '(unknown)';
}

function talkText({ answeredAtUs, endedAtUs }: CallRecord): string {
  if (answeredAtUs === undefined) return '-';
  if (endedAtUs === undefined) return 'end unknown';
  return durationText(Math.round((endedAtUs - answeredAtUs) / SECOND_US));
}

function signatureText({ received }: CallRecord): string {
  const parts = [received?.attestation, received?.verstat].filter((part) => part !== undefined);
  return parts.join(' ') || 'none known';
}

/** `shaken passed`, `shaken failed: orig-mismatch` */
function passportText({ ppt, status, exceptions }: PassportEvidence): string {
  const reasons = exceptions.map(({ reason }) => reason).join(', ');
  return `${ppt ?? 'without type'} ${status}${reasons === '' ? '' : `: ${reasons}`}`;
}

function ownText({ signed }: CallRecord): string | undefined {
  if (signed === undefined) return undefined;
  const { attestation, origId, basis } = signed;
  return [
    attestation,
    ...(origId === undefined ? [] : [`origid ${origId}`]),
    ...(basis === undefined ? [] : [basis]),
  ].join(', ');
}

function releaseText({ release }: CallRecord): string | undefined {
  if (release === undefined) return undefined;
  const { sipStatus, q850Cause, cause, party } = release;
  const parts = [
    ...(party === undefined ? [] : [party]),
    ...(sipStatus === undefined ? [] : [`SIP ${String(sipStatus)}`]),
    ...(q850Cause === undefined ? [] : [`Q.850 ${String(q850Cause)}`]),
    ...(cause === undefined ? [] : [cause]),
  ];
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
export function recordDocument(record: CallRecord, withRaw: boolean): unknown {
  if (withRaw) return record;
  const { raw: _raw, ...source } = record.source as CallRecord['source'] & { readonly raw?: unknown };
  return { ...record, source };
}
