import type {
  DoubtKind,
  IntakeDoubt,
  IntakeField,
  IntakeReport,
  IntakeRequest,
  ReadField,
  UnreadField,
  UnreadReason,
} from '../traceback/index.js';
import { countText } from './output.js';

/** Fields in the words of the output. */
const FIELD_WORDS: Readonly<Partial<Record<IntakeField, string>>> = {
  at: 'time',
  timeOfDay: 'time of day',
  asWritten: 'time as written',
  callId: 'Call-ID',
  origId: 'origid',
  recordId: 'record',
  spc: 'SPC',
  durationSeconds: 'duration, s',
  requestId: 'request',
  tracebackId: 'traceback',
  issuedAt: 'issued',
  dueAt: 'due',
  requesterKind: 'kind of requester',
  requesterName: 'requester',
  requesterEmail: 'requester e-mail',
  campaignDescription: 'description',
  recordingSha256: 'recording SHA-256',
};

function fieldWord(field: IntakeField): string {
  return FIELD_WORDS[field] ?? field.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

/** What a doubt is, and what settles it. */
const DOUBT_WORDS: Readonly<Record<DoubtKind, readonly [what: string, settles?: string]>> = {
  'day-or-month': ['the date can be read in several ways', '--date-order month-first, or day-first'],
  'time-does-not-exist': ['clocks were put forward over this time: the zone is not the one that was meant'],
  'time-in-the-future': ['later than the request itself'],
  'weekday-contradicts': ['it was another day of the week than the one that stands with it'],
  'half-of-day': ['neither AM nor PM is stated'],
  'zone-absent': ['no time zone is stated', '--zone, where you know it'],
  'zone-ambiguous': ['what stands for the zone can be several'],
  'zone-out-of-season': ['standard time is written while clocks showed daylight time, or the other way round'],
  'zone-contradicts': ['two time zones are stated'],
  'several-values': ['several numbers where one was expected'],
  'digits-lost': ['a spreadsheet has rounded this number: ask for it again, as text'],
  'number-irregular': ['neither a national number nor one with a country code'],
  'not-understood': ['stated and not understood: the call must not be looked for without it'],
  'fields-contradict': ['stated twice, differently'],
  'bodies-disagree': ['the plain and the HTML body of the e-mail ask about different calls'],
  'calls-not-told-apart': ['which of the calls each field belongs to is not certain'],
  'direction-of-writing': ['marks in the text show its characters in another order than they stand in'],
  'requester-unknown': [
    'at none of the domains that requests come from, or passed on by somebody who is not',
    '--requester, where you know who asks, or --forwarder for a domain of your own',
  ],
  cut: ['longer than what is read'],
};

const UNREAD_WORDS: Readonly<Record<UnreadReason, string>> = {
  'unknown-label': 'label not known; --labels adds it',
  'no-value': 'nothing stands behind it',
  'value-not-understood': 'value not understood',
  'number-in-text': 'a number in running text',
  'row-not-read': 'row does not fit the head',
  'without-call': 'stands with no call',
  'zone-unclear': 'more than one instant',
  'too-long': 'too long',
};

/** Characters of a value that are shown. */
const MAX_SHOWN_CHARS = 60;

/** One call that is asked about: what was read of it and where, what is in doubt, missing, assumed and not understood. */
export function requestLines(
  request: IntakeRequest,
  { at, of, common }: { readonly at: number; readonly of: number; readonly common: readonly ReadField[] },
): readonly string[] {
  const mark = request.status === 'clear' ? '✓' : '?';
  const what = { clear: 'clear', doubtful: 'for a person to settle', incomplete: 'incomplete: for a person' }[
    request.status
  ];
  const doubts = request.status === 'clear' ? [] : request.doubts;
  const missing = request.status === 'incomplete' ? request.missing : [];
  const assumed = request.assumed.filter(({ field }) => field !== 'requestId' && field !== 'tracebackId');
  return [
    '',
    `${mark} call ${String(at)} of ${String(of)}: ${what}  ${request.requestId}`,
    ...fieldLines(request.fields.filter((field) => !common.some((other) => isSameField(field, other)))),
    ...doubts.flatMap(doubtLines),
    ...(missing.length === 0 ? [] : [`  ✗ missing: ${words(missing)}`]),
    ...request.unread.map((unread) => `  ${unreadLine(unread)}`),
    ...(request.notStated.length === 0 ? [] : [`  · not stated: ${words(request.notStated)}`]),
    ...(assumed.length === 0
      ? []
      : [`  · assumed: ${assumed.map(({ field, value }) => `${fieldWord(field)} ${cut(value)}`).join(', ')}`]),
  ];
}

/** What was read once and holds for every call. */
export function commonFields(requests: readonly IntakeRequest[]): readonly ReadField[] {
  const [first, ...others] = requests;
  if (first === undefined || others.length === 0) return [];
  return first.fields.filter((field) =>
    others.every(({ fields }) => fields.some((other) => isSameField(field, other))),
  );
}

function isSameField(one: ReadField, other: ReadField): boolean {
  const [{ part, line }, place] = [one.place, other.place];
  return one.field === other.field && one.asWritten === other.asWritten && part === place.part && line === place.line;
}

function words(fields: readonly IntakeField[]): string {
  return fields.map(fieldWord).join(', ');
}

/** What was read, where, and from what. */
export function fieldLines(fields: readonly ReadField[]): readonly string[] {
  const names = fields.map(({ field }) => fieldWord(field));
  const values = fields.map(({ value }) => cut(value));
  const [nameWidth, valueWidth] = [names, values].map((texts) => Math.max(0, ...texts.map((text) => text.length)));
  return fields.map(({ label, asWritten, value, place }, at) => {
    const name = (names[at] ?? '').padEnd(nameWidth ?? 0);
    const written = asWritten === value ? '' : ` ${cut(asWritten)}`;
    return `  ${name}  ${(values[at] ?? '').padEnd(valueWidth ?? 0)}  ${placeText(place)}: “${label}”${written}`;
  });
}

function doubtLines({ kind, field, asWritten, readings }: IntakeDoubt): readonly string[] {
  const [what, settles] = DOUBT_WORDS[kind];
  const subject = [field === undefined ? '' : fieldWord(field), cut(asWritten)].filter((text) => text !== '').join(' ');
  const choice = readings.length === 0 ? '' : `: ${readings.map(cut).join(' or ')}`;
  return [
    `  ? ${subject === '' ? '' : `${subject}: `}${what}${choice}`,
    ...(settles === undefined ? [] : [`    settled by ${settles}`]),
  ];
}

/** Something that was left alone, of the whole input. */
export function unreadLine({ reason, label, asWritten, place }: UnreadField): string {
  const what = [label === undefined ? '' : `“${label}”`, cut(asWritten)].filter((text) => text !== '').join(' ');
  return `· not read, ${placeText(place)}: ${what} (${UNREAD_WORDS[reason]})`;
}

function placeText({ part, line }: ReadField['place']): string {
  return part === 'text' || part === 'file' ? `line ${String(line)}` : `${part}, line ${String(line)}`;
}

function cut(text: string): string {
  const line = text.replaceAll('\n', ' / ');
  return line.length > MAX_SHOWN_CHARS ? `${line.slice(0, MAX_SHOWN_CHARS)}…` : line;
}

/** How it came, and what came with it. */
export function messageLines({ email, attachments }: IntakeReport): readonly string[] {
  const sender = [email?.fromName, email?.fromAddress === undefined ? undefined : `<${email.fromAddress}>`];
  const from = sender.filter((text) => text !== undefined).join(' ');
  const date = email?.date === undefined ? '' : `, ${email.date}`;
  return [
    ...(email === undefined ? [] : [`  from     ${from === '' ? 'nobody' : from}${date}; nothing proves the sender`]),
    ...(email?.subject === undefined ? [] : [`  subject  ${email.subject}`]),
    ...attachments.map(
      ({ name, mimeType, sizeBytes, sha256, kind }) =>
        `  ${kind === 'other' ? '!' : '·'} attached ${name === '' ? 'without a name' : name}: ${ATTACHMENT_WORDS[kind]}, ${mimeType}, ` +
        `${countText(sizeBytes, 'byte')}, SHA-256 ${sha256}`,
    ),
  ];
}

const ATTACHMENT_WORDS: Readonly<Record<IntakeReport['attachments'][number]['kind'], string>> = {
  recording: 'recording',
  requests: 'requests, read below',
  other: 'not opened: look at it yourself',
};
