import { z } from 'zod';
import { readBySchema } from '../../core/schema-findings.js';
import { HopbackError } from '../../errors.js';
import { configurationError } from '../../records/configuration-error.schema.js';

/** What of a traceback request a label, or the head of a column, can stand for. */
export type IntakeField =
  | 'called'
  | 'calling'
  | 'at'
  | 'date'
  | 'timeOfDay'
  | 'zone'
  | 'asWritten'
  | 'precision'
  | 'callId'
  | 'origId'
  | 'recordId'
  | 'attestation'
  | 'spc'
  | 'durationSeconds'
  | 'requestId'
  | 'tracebackId'
  | 'direction'
  | 'hop'
  | 'issuedAt'
  | 'dueAt'
  | 'comment'
  | 'requesterKind'
  | 'requesterName'
  | 'requesterEmail'
  | 'provider'
  | 'providerId'
  | 'providerOcn'
  | 'providerSpc'
  | 'providerFrn'
  | 'downstream'
  | 'downstreamId'
  | 'downstreamOcn'
  | 'downstreamSpc'
  | 'downstreamFrn'
  | 'campaign'
  | 'campaignId'
  | 'campaignDescription'
  | 'transcript'
  | 'recordingSha256';

/** How the value of a field is written. */
export type FieldForm =
  | 'number'
  | 'time'
  | 'zone'
  | 'precision'
  | 'token'
  | 'uuid'
  | 'attestation'
  | 'code'
  | 'frn'
  | 'duration'
  | 'hop'
  | 'direction'
  | 'requester-kind'
  | 'email'
  | 'sha256'
  | 'provider'
  | 'line'
  | 'prose';

/** One field: whose it is, how it is written, and what people call it. */
export interface FieldDescription {
  /** Of one call, or of the request that may list many. */
  readonly scope: 'call' | 'request';
  readonly form: FieldForm;
  /**
   * In small letters, without punctuation, articles and `of`; `number` stands for `no.`, `#` and `num`. What stands in brackets behind a
   * label, such as `(UTC)`, is no part of it.
   */
  readonly labels: readonly string[];
}

/**
 * Every field, and every label by which requests name it. A spelling that is missing is one more word here, or in
 * {@link IntakeOptions.labels} until it is.
 */
export const INTAKE_FIELDS: Readonly<Record<IntakeField, FieldDescription>> = {
  called: {
    scope: 'call',
    form: 'number',
    labels: [
      ...['called', 'called number', 'called tn', 'tn called', 'number called', 'called party', 'called party number'],
      ...['called telephone number', 'called phone number', 'call to', 'call to number', 'calls to', 'to', 'to number'],
      ...['to tn', 'tn to', 'destination', 'destination number', 'destination tn', 'dest', 'dest tn', 'dest number'],
      ...[
        'dnis',
        'b number',
        'dialed number',
        'dialled number',
        'number dialed',
        'number dialled',
        'terminating number',
      ],
      ...[
        'terminating tn',
        'term tn',
        'term number',
        'recipient',
        'recipient number',
        'victim number',
        'receiving number',
      ],
      ...['consumer number', 'consumer telephone number', 'called did', 'call recipient', 'callee', 'callee number'],
      ...['called party tn', 'destination telephone number', 'number that was called', 'number that received call'],
    ],
  },
  calling: {
    scope: 'call',
    form: 'number',
    labels: [
      ...['calling', 'calling number', 'calling tn', 'tn calling', 'calling party', 'calling party number', 'cpn'],
      ...['calling telephone number', 'calling phone number', 'ani', 'cli', 'clid', 'caller', 'caller id', 'callerid'],
      ...['caller id number', 'caller id displayed', 'caller number', 'caller tn', 'call from', 'call from number'],
      ...[
        'calls from',
        'from',
        'from number',
        'from tn',
        'tn from',
        'source',
        'source number',
        'source tn',
        'origin number',
      ],
      ...['originating number', 'originating tn', 'orig', 'orig tn', 'orig number', 'a number', 'displayed number'],
      ...['spoofed number', 'number displayed', 'number shown', 'calling party tn', 'source telephone number'],
    ],
  },
  at: {
    scope: 'call',
    form: 'time',
    labels: [
      ...[
        'date time',
        'date time call',
        'date and time',
        'date and time call',
        'datetime',
        'call date time',
        'time call',
      ],
      ...[
        'call date and time',
        'call datetime',
        'call time and date',
        'timestamp',
        'time stamp',
        'call timestamp',
        'when',
      ],
      ...['call start', 'call start time', 'start time', 'started', 'start', 'call received', 'received', 'occurred'],
      ...['call placed', 'invite time', 'setup time', 'call setup time', 'connect time', 'time date', 'time and date'],
      ...['event time', 'time received', 'date time received'],
    ],
  },
  date: {
    scope: 'call',
    form: 'time',
    labels: ['date', 'call date', 'date call', 'day', 'day call', 'date received'],
  },
  timeOfDay: {
    scope: 'call',
    form: 'time',
    labels: ['time', 'call time', 'time day', 'hour', 'local time', 'clock'],
  },
  zone: {
    scope: 'call',
    form: 'zone',
    labels: ['zone', 'time zone', 'timezone', 'tz', 'call time zone', 'utc offset', 'offset'],
  },
  asWritten: { scope: 'call', form: 'line', labels: ['time as written', 'time as stated'] },
  precision: { scope: 'call', form: 'precision', labels: ['precision', 'time precision', 'precision time'] },
  callId: {
    scope: 'call',
    form: 'token',
    labels: ['call id', 'callid', 'sip call id', 'sip callid', 'call identifier', 'sip call identifier'],
  },
  origId: {
    scope: 'call',
    form: 'uuid',
    labels: ['origid', 'orig id', 'origination id', 'origination identifier', 'originating id', 'passport origid'],
  },
  recordId: { scope: 'call', form: 'token', labels: ['record id', 'shared record', 'shared record id'] },
  attestation: {
    scope: 'call',
    form: 'attestation',
    labels: [
      ...['attestation', 'attestation level', 'attest', 'shaken attestation', 'stir shaken attestation'],
      ...['stir shaken', 'attestation received', 'attestation rating'],
    ],
  },
  spc: {
    scope: 'call',
    form: 'code',
    labels: [
      ...['spc', 'service provider code', 'signer spc', 'signing spc', 'signed by spc', 'signed by', 'signer ocn'],
      ...['certificate spc', 'signing ocn', 'passport spc'],
    ],
  },
  durationSeconds: {
    scope: 'call',
    form: 'duration',
    labels: ['duration', 'call duration', 'length', 'call length', 'duration seconds', 'duration call'],
  },
  requestId: {
    scope: 'request',
    form: 'token',
    labels: ['request id', 'request number', 'hop id', 'request reference'],
  },
  tracebackId: {
    scope: 'request',
    form: 'token',
    labels: [
      ...[
        'traceback',
        'traceback id',
        'traceback number',
        'traceback reference',
        'traceback request id',
        'case',
        'case id',
      ],
      ...['case number', 'ticket', 'ticket id', 'ticket number', 'reference', 'reference number', 'ref', 'ref number'],
      ...[
        'itg reference',
        'itg number',
        'itg id',
        'traceback request number',
        'incident',
        'incident id',
        'incident number',
      ],
    ],
  },
  direction: { scope: 'request', form: 'direction', labels: ['direction', 'traceback direction'] },
  hop: { scope: 'request', form: 'hop', labels: ['hop', 'hop number', 'hop count'] },
  issuedAt: {
    scope: 'request',
    form: 'time',
    labels: ['issued', 'issued at', 'date issued', 'request date', 'date request', 'requested', 'request sent', 'sent'],
  },
  dueAt: {
    scope: 'request',
    form: 'time',
    labels: [
      ...[
        'due',
        'due at',
        'due by',
        'due date',
        'deadline',
        'respond by',
        'response due',
        'response due by',
        'reply by',
      ],
      ...['response deadline', 'please respond by', 'answer by', 'response required by', 'due date time'],
    ],
  },
  comment: {
    scope: 'request',
    form: 'prose',
    labels: [
      ...['comment', 'comments', 'note', 'notes', 'additional information', 'additional info', 'remarks'],
      // What takes back a field is for whoever reads comments: a person.
      ...['correction', 'corrections', 'corrected', 'erratum', 'errata', 'amendment', 'amended', 'corrected time'],
      ...['corrected date', 'corrected date and time', 'corrected number', 'corrected calling number'],
      ...['corrected called number', 'correct time', 'correct date', 'correct number', 'correct time zone'],
      ...['corrected time zone', 'time correction'],
    ],
  },
  requesterKind: { scope: 'request', form: 'requester-kind', labels: ['requester kind', 'kind requester'] },
  requesterName: {
    scope: 'request',
    form: 'line',
    labels: ['requester', 'requester name', 'requested by', 'requesting party', 'requesting agency', 'agency'],
  },
  requesterEmail: {
    scope: 'request',
    form: 'email',
    labels: ['requester email', 'requester e mail', 'reply to', 'respond to', 'send response to', 'contact email'],
  },
  provider: {
    scope: 'request',
    form: 'provider',
    labels: ['provider', 'provider asked', 'asked provider', 'your company', 'to provider', 'recipient provider'],
  },
  providerId: { scope: 'request', form: 'token', labels: ['provider id', 'provider asked id', 'asked provider id'] },
  providerOcn: { scope: 'request', form: 'code', labels: ['provider ocn', 'asked provider ocn', 'your ocn'] },
  providerSpc: { scope: 'request', form: 'code', labels: ['provider spc', 'asked provider spc', 'your spc'] },
  providerFrn: { scope: 'request', form: 'frn', labels: ['provider frn', 'asked provider frn', 'your frn'] },
  // Only what can mean nothing else: a terminating provider, or whoever reported the call, taken for the one that named us would make
  // a wrong answer of a right record.
  downstream: {
    scope: 'request',
    form: 'provider',
    labels: [
      ...['downstream', 'downstream provider', 'downstream carrier', 'named by', 'provider that named you'],
      ...['provider that received call from you', 'you sent this call to', 'you sent call to', 'call was sent to'],
      ...['handed off to', 'call handed off to'],
    ],
  },
  downstreamId: { scope: 'request', form: 'token', labels: ['downstream id', 'downstream provider id'] },
  downstreamOcn: { scope: 'request', form: 'code', labels: ['downstream ocn', 'downstream provider ocn'] },
  downstreamSpc: { scope: 'request', form: 'code', labels: ['downstream spc', 'downstream provider spc'] },
  downstreamFrn: { scope: 'request', form: 'frn', labels: ['downstream frn', 'downstream provider frn'] },
  campaign: {
    scope: 'request',
    form: 'line',
    labels: ['campaign', 'campaign name', 'robocall campaign', 'campaign type', 'call type', 'type call'],
  },
  campaignId: { scope: 'request', form: 'token', labels: ['campaign id', 'campaign number'] },
  campaignDescription: {
    scope: 'request',
    form: 'prose',
    labels: ['campaign description', 'description', 'description campaign', 'description call', 'call description'],
  },
  transcript: {
    scope: 'request',
    form: 'prose',
    labels: [
      'transcript',
      'transcription',
      'call transcript',
      'message',
      'voicemail transcript',
      'recording transcript',
    ],
  },
  recordingSha256: {
    scope: 'request',
    form: 'sha256',
    labels: ['recording sha 256', 'recording sha256', 'sha 256 recording', 'recording hash'],
  },
};

/** Every {@link IntakeField}. */
export const INTAKE_FIELD_NAMES: readonly IntakeField[] = Object.keys(INTAKE_FIELDS) as IntakeField[];

/** Labels of the user's own, by field: they come before those of the table. */
export type IntakeLabels = Readonly<Partial<Record<IntakeField, readonly string[]>>>;

/** A label that is known. */
export interface LabelMeaning {
  readonly field: IntakeField;
  /** What stood in brackets behind it: `UTC`, `MM/DD/YYYY`, `seconds`. */
  readonly hint?: string;
}

/** Finds the field that a label stands for. */
export type LabelIndex = ReturnType<typeof labelIndex>;

/** Longest label; `Provider that received the call from you (if known)` has 50 characters. */
export const MAX_LABEL_CHARS = 64;

/** Labels of the user at most, as of the table ten times over. */
const MAX_OWN_LABELS = 4_096;

/**
 * Makes an index of all labels.
 * @param own - labels of the user's, in any spelling
 * @throws {@link HopbackError} `invalid-argument` when a label is empty, too long, or given to two fields
 */
export function labelIndex(own: IntakeLabels = {}) {
  const fields = new Map<string, IntakeField>();
  for (const field of INTAKE_FIELD_NAMES)
    for (const label of INTAKE_FIELDS[field].labels) fields.set(normalLabel(label), field);
  const given = new Map<string, IntakeField>();
  for (const field of INTAKE_FIELD_NAMES) {
    for (const label of own[field] ?? []) {
      const normal = normalLabel(label);
      if (normal === '' || label.length > MAX_LABEL_CHARS)
        throw new HopbackError(
          'invalid-argument',
          `A label of ${field} is empty, or longer than ${MAX_LABEL_CHARS} characters.`,
        );
      const other = given.get(normal);
      if (other !== undefined && other !== field)
        throw new HopbackError('invalid-argument', `One label is given to both ${other} and ${field}.`);
      given.set(normal, field);
    }
  }
  if (given.size > MAX_OWN_LABELS)
    throw new HopbackError('invalid-argument', `More than ${MAX_OWN_LABELS} labels are given.`);
  const fieldOf = (words: string): IntakeField | undefined => given.get(words) ?? fields.get(words);
  const meaningOf = (label: string): LabelMeaning | undefined => {
    if (label.length > MAX_LABEL_CHARS) return undefined;
    const whole = normalLabel(label);
    const [, before = '', inBrackets] = /^([^([]{1,64})[([]([^)\]]{1,40})[)\]]\s{0,4}$/.exec(label) ?? [];
    const zone = /(?:^| )(utc|gmt)(?: |$)/.exec(whole)?.[1];
    const hint = inBrackets?.trim() ?? zone;
    // `Timestamp (UTC)`, `UTC Time`: what a label says of its values is no part of it.
    const withoutZone = zone === undefined ? whole : whole.replace(zone, '').replace('  ', ' ').trim();
    const inTime = zone === undefined ? undefined : fieldOf(withoutZone);
    const field =
      fieldOf(whole) ??
      (inBrackets === undefined ? undefined : fieldOf(normalLabel(before))) ??
      (inTime !== undefined && INTAKE_FIELDS[inTime].form === 'time' ? inTime : undefined);
    return field === undefined ? undefined : { field, ...(hint === undefined ? {} : { hint }) };
  };
  return {
    /** Never throws. @returns undefined where nobody knows the label */
    meaningOf,
  };
}

/** Small letters, digits and single spaces; without bullets, emphasis, articles and the words that only bind. */
export function normalLabel(label: string): string {
  const words = label
    .normalize('NFKC')
    .toLowerCase()
    .replace(/#|\bno\.|\bnum\b|\bnbr\b/g, ' number ')
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()
    .split(' ')
    .filter((word) => !BINDING_WORDS.has(word));
  return words.filter((word, at) => word !== 'number' || words[at - 1] !== 'number').join(' ');
}

/** `and` binds too, but `date and time` is written with and without it: the table has both. */
const BINDING_WORDS: ReadonlySet<string> = new Set([
  'the',
  'an',
  'of',
  'for',
  'this',
  'is',
  'was',
  'in',
  'on',
  'at',
  '',
]);

/** A provider that gets requests from ten requesters in as many layouts has some dozens of its own. */
const MOST_LABELS = 256;

/** Of the file that holds labels of the user's own. A field that nobody knows is a typing error, and is refused. */
const intakeLabelsSchema: z.ZodType<IntakeLabels> = z.partialRecord(
  z.enum(INTAKE_FIELD_NAMES as readonly [IntakeField, ...IntakeField[]]),
  z.array(z.string().min(1).max(MAX_LABEL_CHARS)).max(MOST_LABELS),
);

/**
 * Reads labels of the user's own, out of a file: for each field the labels by which requests name it.
 * @param value - as JSON has it parsed
 * @param options - `at`: how a message names the file. Default `the labels`
 * @returns the labels
 * @throws {@link HopbackError} `invalid-configuration` that names each member that is not known or out of its bounds; `invalid-argument`
 * where one label is given to two fields
 * @see {@link INTAKE_FIELDS} for the fields, and the labels that need not be given
 * @example
 * ```ts
 * const labels = readIntakeLabels({ called: ['Target TN'] });
 * const report = readPastedText('Target TN: 2025550101', { receivedAtMs: 0, labels });
 * console.log(report.requests[0]?.fields[0]?.field); // called
 * ```
 */
export function readIntakeLabels(value: unknown, options: { readonly at?: string } = {}): IntakeLabels {
  const result = readBySchema(intakeLabelsSchema, value);
  if (!result.success) throw configurationError(options.at ?? 'the labels', { error: result.error, value });
  labelIndex(result.data);
  return result.data;
}
