import { z } from 'zod';
import { readBySchema } from '../../core/schema-findings.js';
import { defined } from '../../core/text.js';
import { HopbackError } from '../../errors.js';
import { configurationError } from '../../records/configuration-error.schema.js';
import { phrases } from './visible-text.js';

/**
 * Every field: whose it is, how it is written, and every label by which requests name it. A spelling that is missing is one more word here,
 * or in the option `labels` until it is. Labels are in small letters, without punctuation, articles and `of`; `number` stands for
 * `no.`, `#` and `num`. What stands in brackets behind a label, such as `(UTC)`, is no part of it.
 */
export const INTAKE_FIELDS = {
  called: ofCall(
    'number',
    `called, called number, called tn, tn called, number called, called party, called party number,
     called telephone number, called phone number, call to, call to number, calls to, to, to number, to tn, tn to,
     destination, destination number, destination tn, dest, dest tn, dest number, dnis, b number, dialed number,
     dialled number, number dialed, number dialled, terminating number, terminating tn, term tn, term number,
     recipient, recipient number, victim number, receiving number, consumer number, consumer telephone number,
     called did, call recipient, callee, callee number, called party tn, destination telephone number,
     number that was called, number that received call`,
  ),
  calling: ofCall(
    'number',
    `calling, calling number, calling tn, tn calling, calling party, calling party number, cpn,
     calling telephone number, calling phone number, ani, cli, clid, caller, caller id, callerid, caller id number,
     caller id displayed, caller number, caller tn, call from, call from number, calls from, from, from number,
     from tn, tn from, source, source number, source tn, origin number, originating number, originating tn, orig,
     orig tn, orig number, a number, displayed number, spoofed number, number displayed, number shown,
     calling party tn, source telephone number`,
  ),
  at: ofCall(
    'time',
    `date time, date time call, date and time, date and time call, datetime, call date time, time call,
     call date and time, call datetime, call time and date, timestamp, time stamp, call timestamp, when, call start,
     call start time, start time, started, start, call received, received, occurred, call placed, invite time,
     setup time, call setup time, connect time, time date, time and date, event time, time received,
     date time received`,
  ),
  date: ofCall('time', 'date, call date, date call, day, day call, date received'),
  timeOfDay: ofCall('time', 'time, call time, time day, hour, local time, clock'),
  zone: ofCall('zone', 'zone, time zone, timezone, tz, call time zone, utc offset, offset'),
  asWritten: ofCall('line', 'time as written, time as stated'),
  precision: ofCall('precision', 'precision, time precision, precision time'),
  callId: ofCall('token', 'call id, callid, sip call id, sip callid, call identifier, sip call identifier'),
  origId: ofCall('uuid', 'origid, orig id, origination id, origination identifier, originating id, passport origid'),
  recordId: ofCall('token', 'record id, shared record, shared record id'),
  attestation: ofCall(
    'attestation',
    `attestation, attestation level, attest, shaken attestation, stir shaken attestation, stir shaken,
     attestation received, attestation rating`,
  ),
  spc: ofCall(
    'code',
    `spc, service provider code, signer spc, signing spc, signed by spc, signed by, signer ocn, certificate spc,
     signing ocn, passport spc`,
  ),
  durationSeconds: ofCall('duration', 'duration, call duration, length, call length, duration seconds, duration call'),
  requestId: ofRequest('token', 'request id, request number, hop id, request reference'),
  tracebackId: ofRequest(
    'token',
    `traceback, traceback id, traceback number, traceback reference, traceback request id, case, case id,
     case number, ticket, ticket id, ticket number, reference, reference number, ref, ref number, itg reference,
     itg number, itg id, traceback request number, incident, incident id, incident number`,
  ),
  direction: ofRequest('direction', 'direction, traceback direction'),
  hop: ofRequest('hop', 'hop, hop number, hop count'),
  issuedAt: ofRequest(
    'time',
    `issued, issued at, date issued, request date, date request, requested, request sent, sent`,
  ),
  dueAt: ofRequest(
    'time',
    `due, due at, due by, due date, deadline, respond by, response due, response due by, reply by, response deadline,
     please respond by, answer by, response required by, due date time`,
  ),
  // What takes back a field is for whoever reads comments: a person.
  comment: ofRequest(
    'prose',
    `comment, comments, note, notes, additional information, additional info, remarks, correction, corrections,
     corrected, erratum, errata, amendment, amended, corrected time, corrected date, corrected date and time,
     corrected number, corrected calling number, corrected called number, correct time, correct date, correct number,
     correct time zone, corrected time zone, time correction`,
  ),
  requesterKind: ofRequest('requester-kind', 'requester kind, kind requester'),
  requesterName: ofRequest(
    'line',
    `requester, requester name, requested by, requesting party, requesting agency, agency`,
  ),
  requesterEmail: ofRequest(
    'email',
    `requester email, requester e mail, reply to, respond to, send response to, contact email`,
  ),
  provider: ofRequest(
    'provider',
    `provider, provider asked, asked provider, your company, to provider, recipient provider`,
  ),
  providerId: ofRequest('token', 'provider id, provider asked id, asked provider id'),
  providerOcn: ofRequest('code', 'provider ocn, asked provider ocn, your ocn'),
  providerSpc: ofRequest('code', 'provider spc, asked provider spc, your spc'),
  providerFrn: ofRequest('frn', 'provider frn, asked provider frn, your frn'),
  // Only what can mean nothing else: a terminating provider, or whoever reported the call, taken for the one that named us would make
  // a wrong answer of a right record.
  downstream: ofRequest(
    'provider',
    `downstream, downstream provider, downstream carrier, named by, provider that named you,
     provider that received call from you, you sent this call to, you sent call to, call was sent to, handed off to,
     call handed off to`,
  ),
  downstreamId: ofRequest('token', 'downstream id, downstream provider id'),
  downstreamOcn: ofRequest('code', 'downstream ocn, downstream provider ocn'),
  downstreamSpc: ofRequest('code', 'downstream spc, downstream provider spc'),
  downstreamFrn: ofRequest('frn', 'downstream frn, downstream provider frn'),
  campaign: ofRequest('line', 'campaign, campaign name, robocall campaign, campaign type, call type, type call'),
  campaignId: ofRequest('token', 'campaign id, campaign number'),
  campaignDescription: ofRequest(
    'prose',
    `campaign description, description, description campaign, description call, call description`,
  ),
  transcript: ofRequest(
    'prose',
    `transcript, transcription, call transcript, message, voicemail transcript, recording transcript`,
  ),
  recordingSha256: ofRequest('sha256', 'recording sha 256, recording sha256, sha 256 recording, recording hash'),
};

/** What of a traceback request a label, or the head of a column, can stand for. */
export type IntakeField = keyof typeof INTAKE_FIELDS;

/** How the value of a field is written. */
export type FieldForm = (typeof INTAKE_FIELDS)[IntakeField]['form'];

/** A field of one call. */
function ofCall<Form extends string>(form: Form, labels: string) {
  return { scope: 'call' as const, form, labels: phrases(labels) };
}

/** A field of the request, which may list many calls. */
function ofRequest<Form extends string>(form: Form, labels: string) {
  return { scope: 'request' as const, form, labels: phrases(labels) };
}

/** Every {@link IntakeField}. */
export const INTAKE_FIELD_NAMES: readonly IntakeField[] = Object.keys(INTAKE_FIELDS) as IntakeField[];

/** Labels of the user's own, by field: they come before those of the table. */
type IntakeLabels = Readonly<Partial<Record<IntakeField, readonly string[]>>>;

/** Name of a field: one that nobody knows is a typing error, and is refused. */
export const intakeFieldSchema = z.enum(INTAKE_FIELD_NAMES as readonly [IntakeField, ...IntakeField[]]);

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
    return field === undefined ? undefined : defined({ field, hint });
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
const BINDING_WORDS: ReadonlySet<string> = new Set(['', ...phrases('the, an, of, for, this, is, was, in, on, at')]);

/** A provider that gets requests from ten requesters in as many layouts has some dozens of its own. */
const MOST_LABELS = 256;

/** Of the file that holds labels of the user's own. */
const intakeLabelsSchema = z.partialRecord(
  intakeFieldSchema,
  z.array(z.string().min(1).max(MAX_LABEL_CHARS)).max(MOST_LABELS),
);

/**
 * Reads labels of the user's own, out of a file: for each field the labels by which requests name it.
 * @param value - as JSON has it parsed
 * @param options - `at`: how a message names the file. Default `the labels`
 * @returns the labels
 * @throws {@link HopbackError} `invalid-configuration` that names each member that is not known or out of its bounds; `invalid-argument`
 * where one label is given to two fields
 * @see docs/guides/traceback-intake.md for the fields
 * @example
 * ```ts
 * const labels = readIntakeLabels({ called: ['Target TN'] });
 * const report = readPastedText('Target TN: 2025550101', { receivedAtMs: 0, labels });
 * console.log(report.requests[0]?.fields[0]?.field); // called
 * ```
 */
export function readIntakeLabels(
  value: unknown,
  options: { readonly at?: string } = {},
): Readonly<Partial<Record<IntakeField, readonly string[]>>> {
  const result = readBySchema(intakeLabelsSchema, value);
  if (!result.success) throw configurationError(options.at ?? 'the labels', { error: result.error, value });
  labelIndex(result.data);
  return result.data;
}
