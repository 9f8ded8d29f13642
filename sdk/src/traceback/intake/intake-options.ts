import { z } from 'zod';
import type { BodyOf, ProviderReference } from '../../contract/common.js';
import type { Requester } from '../../contract/traceback-exchange.js';
import { readBySchema } from '../../core/schema-findings.js';
import { defined } from '../../core/text.js';
import { HopbackError } from '../../errors.js';
import type { SourceNumbers } from '../../records/ingest/record-reader.js';
import { configurationError } from '../../records/configuration-error.schema.js';
import { TIME_LAYOUTS, zoneClock } from '../../records/ingest/formats/row-times.js';
import { domainOf, kindOfDomain, REQUESTER_DOMAINS } from './field-values.js';
import { intakeFieldSchema, labelIndex } from './intake-fields.js';
import type { IntakeField, LabelIndex } from './intake-fields.js';
import { MAX_INTAKE_UNREAD } from './intake-report.js';
import type { IntakeAttachment, IntakeReport, UnreadField } from './intake-report.js';
import { zoneClocks } from './stated-time.js';
import type { ZoneClocks } from './stated-time.js';

/** Columns are numbered up to here, as of call records. */
const MAX_COLUMN = 1_023;
const MAX_NAME_CHARS = 256;
const MAX_HEADER_ROWS = 100;

const place = z.union([z.int().min(0).max(MAX_COLUMN), z.string().min(1).max(MAX_NAME_CHARS)]);

/** What the columns of a CSV file with requests mean. Plain JSON. One row is one call. A member that nobody knows is refused. */
export const RequestCsvMap = z
  .strictObject({
    /** Where each field stands: the number of its column, from 0, or the name that the head has for it, in any case. */
    columns: z
      .partialRecord(intakeFieldSchema, place)
      .refine((columns) => columns.called !== undefined || columns.recordId !== undefined, 'must say where called is')
      .refine((columns) => columns.at !== undefined || columns.date !== undefined, 'must say where at is, or date'),
    /** How `at`, or `date` and `timeOfDay` with a space between, is written. Default as people write times. */
    timeLayout: z.exactOptional(z.enum(TIME_LAYOUTS)),
    /** In which zone times without one are: IANA name or `UTC`. */
    zone: z.exactOptional(z.string().min(1).max(64)),
    /** Which number of a date in figures is the month, where no layout is declared. */
    dateOrder: z.exactOptional(z.enum(['month-first', 'day-first'])),
    /** One character. Default the comma; a tab for tab-separated files. */
    separator: z.exactOptional(
      z
        .string()
        .length(1)
        .refine((character) => character !== '"', 'must be one character, and no quote'),
    ),
    /** Rows before the first call. Default 1 where a place is a name, else 0. */
    headerRows: z.exactOptional(z.int().min(0).max(MAX_HEADER_ROWS)),
  })
  .refine(
    ({ columns, headerRows }) =>
      headerRows !== 0 || Object.values(columns).every((column) => typeof column === 'number'),
    'names columns, but headerRows says that there is no head',
  );
export type RequestCsvMap = BodyOf<typeof RequestCsvMap>;

/**
 * Reads a field map, out of a file.
 * @param value - as JSON has it parsed
 * @param options - `at`: how a message names it. Default `the field map`
 * @returns the map
 * @throws {@link HopbackError} `invalid-configuration` that names each member that is missing, not known or out of its bounds
 * @see RFC 4180
 * @example
 * ```ts
 * const map = readRequestCsvMap({ columns: { called: 'TN', at: 'When' }, zone: 'UTC' });
 * console.log(map.columns.called); // TN
 * ```
 */
export function readRequestCsvMap(value: unknown, options: { readonly at?: string } = {}): RequestCsvMap {
  const result = readBySchema(RequestCsvMap, value);
  if (result.success) return result.data;
  throw configurationError(options.at ?? 'the field map', { error: result.error, value });
}

/** What the reader of a request knows that does not stand in it. */
export interface IntakeOptions {
  /** When the request came, milliseconds since the epoch: calls are not asked about before they were made. */
  readonly receivedAtMs: number;
  /** Who is asked: the reader. Default what the request says, else `the asked provider`. */
  readonly provider?: ProviderReference;
  /** In which zone times without one are: IANA name or `UTC`. Default none: such a time is a doubt. */
  readonly zone?: string;
  /** Which number of a date in figures is the month. Default none: a date that can be read both ways is a doubt. */
  readonly dateOrder?: 'month-first' | 'day-first';
  /** What the columns of CSV files mean, attached ones too. Default what their heads say. */
  readonly map?: RequestCsvMap;
  /** Who asks where the request does not say so. Default `itg` of pasted text; of an e-mail from an unknown domain that is a doubt. */
  readonly requesterKind?: Requester['kind'];
  /** Domains from which requests come, and who sends them, beside those of the traceback group, the FCC and the FTC. */
  readonly requesters?: Readonly<Record<string, Requester['kind']>>;
  /** Domains whose people forward requests, your own: who asks is then whoever sent the message within theirs. */
  readonly forwarders?: readonly string[];
  /** Further labels by which requests name fields: they come before those that are known. */
  readonly labels?: Readonly<Partial<Record<IntakeField, readonly string[]>>>;
  /** How numbers without `+` were dialled, and technical prefixes. Default North America. */
  readonly numbers?: SourceNumbers;
}

/** The same, looked over. */
export interface IntakeKnowledge extends Omit<IntakeOptions, 'labels' | 'map' | 'requesters'> {
  readonly labels: LabelIndex;
  readonly requesters: Readonly<Record<string, Requester['kind']>>;
  readonly clocks: ZoneClocks;
}

/**
 * Looks options over.
 * @throws {@link HopbackError} `invalid-argument` when there is no such zone, `receivedAtMs` is no time, or a label cannot be
 */
export function intakeKnowledge(options: IntakeOptions): IntakeKnowledge {
  const { labels, map: _map, requesters, zone, ...rest } = options;
  if (!Number.isFinite(options.receivedAtMs) || Number.isNaN(new Date(options.receivedAtMs).getTime()))
    throw new HopbackError('invalid-argument', 'receivedAtMs is no time: milliseconds since the epoch.');
  const clock = zone === undefined ? undefined : zoneClock(zone);
  if (zone !== undefined && clock === undefined)
    throw new HopbackError(
      'invalid-argument',
      `There is no time zone "${zone}". Name one of the IANA database, or UTC.`,
    );
  return {
    ...rest,
    // The engine has older names for some zones: the one that was given stays.
    ...defined({ zone: clock?.zone === 'UTC' ? 'UTC' : zone }),
    labels: labelIndex(labels),
    clocks: zoneClocks(),
    requesters: { ...REQUESTER_DOMAINS, ...requesters },
  };
}

/** What a report says, and what it was made of. */
interface ReportMatter extends Pick<IntakeReport, 'kind' | 'sha256' | 'requests' | 'unread' | 'email'> {
  readonly attachments?: readonly IntakeAttachment[];
  /** Subject and texts, to see whether they speak of tracebacks. */
  readonly texts?: readonly string[];
}

/** A report of what was read. */
export function reportOf(matter: ReportMatter, known: IntakeKnowledge): IntakeReport {
  const { texts: _texts, attachments = [], ...told } = matter;
  const unread = matter.unread.slice(0, MAX_INTAKE_UNREAD);
  return {
    format: 'hopback.traceback-intake.1',
    status: reportStatus(matter, known),
    ...told,
    unread,
    attachments,
  };
}

/** A report of what could not be read. */
export function unreadableReport({
  kind,
  sha256,
  because,
}: Required<Pick<IntakeReport, 'kind' | 'sha256' | 'because'>>): IntakeReport {
  const nothing = { requests: [], unread: [], attachments: [] };
  return {
    format: 'hopback.traceback-intake.1',
    status: 'unreadable',
    because,
    kind,
    sha256,
    ...nothing,
  };
}

/** Something of which a call may have been asked about, and nobody has read it. */
const MAY_HOLD_CALL: ReadonlySet<string> = new Set<UnreadField['reason']>(['row-not-read', 'too-long']);

/** The same where nothing else was read. */
const MAY_BE_REQUEST: ReadonlySet<string> = new Set([...MAY_HOLD_CALL, 'without-call']);

/** Tables, and what tables are packed into. */
const TABLE_FILE = /\.(?:xlsx?|xlsm|xlsb|ods|numbers|zip|7z|gz|tgz|rar)$/i;

/** Files that mail programs add by themselves, or that show nothing but a picture. */
const NO_DOCUMENT = /^(?:image\/|text\/(?:calendar|vcard|x-vcard)|application\/(?:(?:x-)?pkcs7|pgp)-)/i;

/**
 * What is in a report as a whole. That there is no request in something is said only where nothing in it may be one: a request that is lost is
 * an answer that is never given. Never throws for peer input.
 */
function reportStatus(matter: ReportMatter, { requesters }: IntakeKnowledge): IntakeReport['status'] {
  const { requests, unread, attachments = [], texts = [], email } = matter;
  const left = attachments.filter(({ kind }) => kind === 'other');
  if (requests.length > 0) {
    const isWhole =
      !unread.some(({ reason }) => MAY_HOLD_CALL.has(reason)) && !left.some(({ name }) => TABLE_FILE.test(name));
    return isWhole && requests.every(({ status }) => status === 'clear') ? 'clear' : 'needs-person';
  }
  if (unread.some(({ reason }) => MAY_BE_REQUEST.has(reason))) return 'needs-person';
  if (texts.some((text) => /trace[\s_-]?back|robo[\s-]?call|trace (?:this|the|these) call/i.test(text)))
    return 'needs-person';
  if (kindOfDomain(domainOf(email?.fromAddress ?? ''), requesters) === undefined) return 'no-request';
  const isDocument = ({ mimeType }: IntakeAttachment): boolean => !NO_DOCUMENT.test(mimeType);
  return left.some(isDocument) || unread.some(({ reason }) => reason === 'number-in-text')
    ? 'needs-person'
    : 'no-request';
}
