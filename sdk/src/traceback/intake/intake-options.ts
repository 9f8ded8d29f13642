import type { ProviderReference } from '../../contract/common.js';
import type { RequesterKind } from '../../contract/traceback-exchange.js';
import { HopbackError } from '../../errors.js';
import type { SourceNumbers } from '../../records/ingest/record-reader.js';
import { zoneClock } from '../../records/ingest/formats/row-times.js';
import { domainOf, kindOfDomain, REQUESTER_DOMAINS } from './field-values.js';
import { labelIndex } from './intake-fields.js';
import type { IntakeLabels, LabelIndex } from './intake-fields.js';
import type { IntakeAttachment, IntakeReport, UnreadField, UnreadReason } from './intake-report.js';
import { zoneClocks } from './stated-time.js';
import type { ZoneClocks } from './stated-time.js';
import type { DateOrder } from './time-words.js';

/** What the reader of a request knows that does not stand in it. */
export interface IntakeOptions {
  /** When the request came, milliseconds since the epoch: calls are not asked about before they were made. */
  readonly receivedAtMs: number;
  /** Who is asked: the reader. Default what the request says, else `the asked provider`. */
  readonly provider?: ProviderReference;
  /** In which zone times without one are: IANA name or `UTC`. Default none: such a time is a doubt. */
  readonly zone?: string;
  /** Which number of a date in figures is the month. Default none: a date that can be read both ways is a doubt. */
  readonly dateOrder?: DateOrder;
  /** Who asks where the request does not say so. Default `itg` of pasted text; of an e-mail from an unknown domain that is a doubt. */
  readonly requesterKind?: RequesterKind;
  /** Domains from which requests come, beside {@link REQUESTER_DOMAINS}. */
  readonly requesters?: Readonly<Record<string, RequesterKind>>;
  /** Domains whose people forward requests, your own: who asks is then whoever sent the message within theirs. */
  readonly forwarders?: readonly string[];
  /** Labels of requests that are not in {@link INTAKE_FIELDS}. */
  readonly labels?: IntakeLabels;
  /** How numbers without `+` were dialled, and technical prefixes. Default North America. */
  readonly numbers?: SourceNumbers;
}

/** The same, looked over. */
export interface IntakeKnowledge extends Omit<IntakeOptions, 'labels' | 'requesters'> {
  readonly labels: LabelIndex;
  readonly requesters: Readonly<Record<string, RequesterKind>>;
  readonly clocks: ZoneClocks;
}

/**
 * Looks options over.
 * @throws {@link HopbackError} `invalid-argument` when there is no such zone, `receivedAtMs` is no time, or a label cannot be
 */
export function intakeKnowledge(options: IntakeOptions): IntakeKnowledge {
  const { labels, requesters, zone, ...rest } = options;
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
    ...(zone === undefined ? {} : { zone: clock?.zone === 'UTC' ? 'UTC' : zone }),
    labels: labelIndex(labels),
    clocks: zoneClocks(),
    requesters: { ...REQUESTER_DOMAINS, ...requesters },
  };
}

/** What a report says, and what it was made of. */
interface ReportMatter {
  readonly requests: IntakeReport['requests'];
  readonly unread: readonly UnreadField[];
  readonly attachments?: readonly IntakeAttachment[];
  /** Subject and texts, to see whether they speak of tracebacks. */
  readonly texts?: readonly string[];
  readonly fromAddress?: string | undefined;
}

/** Something of which a call may have been asked about, and nobody has read it. */
const MAY_HOLD_CALL: ReadonlySet<UnreadReason> = new Set<UnreadReason>(['row-not-read', 'too-long']);

/** The same where nothing else was read. */
const MAY_BE_REQUEST: ReadonlySet<UnreadReason> = new Set<UnreadReason>(['without-call', ...MAY_HOLD_CALL]);

/** Tables, and what tables are packed into. */
const TABLE_FILE = /\.(?:xlsx?|xlsm|xlsb|ods|numbers|zip|7z|gz|tgz|rar)$/i;

/** Files that mail programs add by themselves, or that show nothing but a picture. */
const NO_DOCUMENT = /^(?:image\/|text\/(?:calendar|vcard|x-vcard)|application\/(?:(?:x-)?pkcs7|pgp)-)/i;

/**
 * What is in a report as a whole. That there is no request in something is said only where nothing in it may be one: a request that is lost is
 * an answer that is never given. Never throws for peer input.
 */
export function reportStatus(matter: ReportMatter, { requesters }: IntakeKnowledge): IntakeReport['status'] {
  const { requests, unread, attachments = [], texts = [], fromAddress = '' } = matter;
  const left = attachments.filter(({ kind }) => kind === 'other');
  if (requests.length > 0) {
    const isWhole =
      !unread.some(({ reason }) => MAY_HOLD_CALL.has(reason)) && !left.some(({ name }) => TABLE_FILE.test(name));
    return isWhole && requests.every(({ status }) => status === 'clear') ? 'clear' : 'needs-person';
  }
  if (unread.some(({ reason }) => MAY_BE_REQUEST.has(reason))) return 'needs-person';
  if (texts.some((text) => /trace[\s_-]?back|robo[\s-]?call|trace (?:this|the|these) call/i.test(text)))
    return 'needs-person';
  if (kindOfDomain(domainOf(fromAddress), requesters) === undefined) return 'no-request';
  const isDocument = ({ mimeType }: IntakeAttachment): boolean => !NO_DOCUMENT.test(mimeType);
  return left.some(isDocument) || unread.some(({ reason }) => reason === 'number-in-text')
    ? 'needs-person'
    : 'no-request';
}
