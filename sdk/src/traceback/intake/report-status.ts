import { domainOf, kindOfDomain } from './field-values.js';
import type { IntakeKnowledge } from './intake-options.js';
import type { IntakeAttachment, IntakeReport, UnreadField, UnreadReason } from './intake-report.js';

/** What a report says, and what it was made of. */
export interface ReportMatter {
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
