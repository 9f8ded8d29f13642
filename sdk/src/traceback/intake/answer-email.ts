import { hash } from 'node:crypto';
import type { TracebackAnswer } from '../../core/traceback-request.js';
import type { TracebackRequest } from '../../core/traceback-request.js';
import { HopbackError } from '../../errors.js';
import { isDerivedId } from './derived-id.js';
import { domainOf, emailAddress } from './field-values.js';
import type { ReceivedEmail } from './intake-report.js';
import { internetMessage } from './internet-message.js';
import type { Mailbox } from './internet-message.js';
import { portalFields } from './portal-fields.js';
import { visibleText } from './visible-text.js';

/** From whom an answer goes to whom. */
export interface AnswerEmailOptions {
  /** Who answers. */
  readonly from: Mailbox;
  /** Default whoever asked. */
  readonly to?: string;
  /** The e-mail that the request came in, as {@link readEmail} gives it back: the answer is a reply to it. */
  readonly inReplyTo?: ReceivedEmail;
}

/** An answer as an e-mail, to be looked at, pasted or sent. */
export interface AnswerEmail {
  readonly from: string;
  /** Absent where nobody knows an address. */
  readonly to?: string;
  readonly subject: string;
  /** The body as people read it; lines with a line feed behind each. */
  readonly text: string;
  /** The whole message, with CRLF line ends. RFC 5322 */
  readonly message: string;
}

/**
 * An answer as an e-mail: subject and body to be pasted, and the whole message to be sent. A reply where the request came by e-mail. It goes
 * to whoever asked; a `Reply-To` counts only where it is of the domain of the sender, since an answer may hold what is only for them.
 * Nothing that a peer wrote can add a header. The same answer makes the same message.
 * @param answer - of the asked provider
 * @param request - that it answers
 * @param options - who answers, and the e-mail that is answered
 * @returns subject, body and message
 * @throws {@link HopbackError} `invalid-argument` when the address of `from` or `to` is none
 * @see RFC 5322 section 3.6.4, RFC 2047
 * @example
 * ```ts
 * const text = 'Traceback ID: 4711\nCalled Number: +12025550101\nDate/Time of call: 2026-10-23 15:41 UTC';
 * const [read] = readPastedText(text, { receivedAtMs: Date.UTC(2026, 9, 24) }).requests;
 * const answer: TracebackAnswer = {
 *   format: 'hopback.traceback-answer.1',
 *   answerId: 'a-1',
 *   requestId: 'r-1',
 *   tracebackId: '4711',
 *   revision: 1,
 *   answeredAt: '2026-10-24T00:01:00Z',
 *   provider: { name: 'Example Telephone' },
 *   answeredBy: { kind: 'automatic', policyId: 'default' },
 *   finding: { arm: 'not-found' },
 *   searched: { windows: [], keys: ['called'], coverage: [], recordsConsidered: 0 },
 * };
 * if (read?.status === 'clear') {
 *   const email = answerEmail(answer, read.request, { from: { address: 'noc@example.com' } });
 *   console.log(email.subject); // Traceback 4711: no record of this call
 * }
 * ```
 */
export function answerEmail(
  answer: TracebackAnswer,
  request: TracebackRequest,
  options: AnswerEmailOptions,
): AnswerEmail {
  const { from, to, inReplyTo } = options;
  const sender = checkedAddress(from.address, 'from');
  const recipient = to === undefined ? recipientOf(request, inReplyTo) : checkedAddress(to, 'to');
  const subject = subjectOf(answer, request, inReplyTo);
  const text = bodyOf(answer, request);
  const digest = hash('sha256', JSON.stringify([answer.answerId, answer.requestId, answer.revision]), 'hex');
  const messageId = inReplyTo?.messageId;
  const references = [inReplyTo?.references, messageId].filter((id) => id !== undefined).join(' ');
  const dateMs = Date.parse(answer.answeredAt);
  const message = internetMessage({
    from: { ...from, address: sender },
    ...(recipient === undefined ? {} : { to: recipient }),
    subject,
    dateMs: Number.isNaN(dateMs) ? 0 : dateMs,
    messageId: `<${digest.slice(0, 32)}@${domainOf(sender)}>`,
    ...(isMessageIds(messageId) ? { inReplyTo: messageId } : {}),
    ...(isMessageIds(references) ? { references } : {}),
    text,
  });
  return { from: sender, ...(recipient === undefined ? {} : { to: recipient }), subject, text, message };
}

function checkedAddress(address: string, name: string): string {
  const checked = emailAddress(address);
  if (checked !== undefined && checked === address) return checked;
  throw new HopbackError(
    'invalid-argument',
    `The address of ${name} is none: one mailbox, without a name or brackets.`,
  );
}

/** Reports are plain data that may have gone through other hands. @see RFC 5322 section 3.6.4 */
function isMessageIds(text: string | undefined): text is string {
  return text !== undefined && text.length <= 4_300 && /^<[!-;=?-~]{1,250}>(?: <[!-;=?-~]{1,250}>){0,16}$/.test(text);
}

function recipientOf({ requester }: TracebackRequest, received: ReceivedEmail | undefined): string | undefined {
  const asked = emailAddress(received?.fromAddress ?? requester.email ?? '');
  const replyTo = emailAddress(received?.replyTo ?? '');
  if (asked === undefined || replyTo === undefined) return asked;
  return domainOf(replyTo) === domainOf(asked) ? replyTo : asked;
}

/** Words of the subject, short enough for a list of mails. */
const SUBJECTS: Readonly<Record<TracebackAnswer['finding']['arm'], string>> = {
  'received-from': 'received from another provider',
  'received-from-unlisted': 'received from a provider that is not listed',
  origin: 'originated with our customer',
  'point-of-entry': 'U.S. point of entry',
  'not-found': 'no record of this call',
  'not-retained': 'records no longer retained',
  'not-our-number': 'not our number',
  'not-sent-to-downstream': 'not sent to the provider that named us',
  ambiguous: 'several calls fit',
  'serves-number': 'number served by us',
  'number-served-by': 'number served by another provider',
  refused: 'no answer is given',
};

function subjectOf(
  { finding }: TracebackAnswer,
  { tracebackId }: TracebackRequest,
  received: ReceivedEmail | undefined,
): string {
  const subject = visibleText(received?.subject ?? '');
  const which = isDerivedId(tracebackId) ? 'Traceback' : `Traceback ${tracebackId}`;
  if (subject === '') return visibleText(`${which}: ${SUBJECTS[finding.arm]}`);
  return /^re:/i.test(subject) ? subject : `Re: ${subject}`;
}

function bodyOf(answer: TracebackAnswer, request: TracebackRequest): string {
  const fields = portalFields(answer, request);
  const width = Math.max(...fields.map(({ label }) => label.length));
  const revision = answer.revision > 1 ? `This is revision ${String(answer.revision)} of our answer.\n\n` : '';
  const lines = fields.map(({ label, value }) => `${`${label}:`.padEnd(width + 1)}  ${value}`);
  const who = visibleText(answer.provider.name);
  return `Our answer to your traceback request:\n\n${revision}${lines.join('\n')}\n\nAnswered ${visibleText(answer.answeredAt)} for ${who}.\n`;
}
