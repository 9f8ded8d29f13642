import { hash } from 'node:crypto';
import type { ContactDetails, ProviderReference } from '../../contract/common.js';
import type {
  AnsweredCall,
  CustomerAction,
  CustomerStatement,
  FindingArm,
  SearchStatement,
  StatedTime,
  TracebackAnswer,
  TracebackFinding,
  TracebackRequest,
} from '../../contract/traceback-exchange.js';
import { defined } from '../../core/text.js';
import { HopbackError } from '../../errors.js';
import { isDerivedId } from './assemble-request.js';
import { domainOf, emailAddress } from './field-values.js';
import type { IntakeReport } from './intake-report.js';
import { visibleText } from './visible-text.js';

/** What the arms of an answer are called where people read them. */
export const FINDING_WORDS: Readonly<Record<FindingArm, string>> = {
  'received-from': 'We received this call from another provider.',
  'received-from-unlisted': 'We received this call from a provider that is not listed.',
  origin: 'This call originated with our customer.',
  'point-of-entry': 'We are the U.S. point of entry: we received this call from a foreign provider.',
  'not-found': 'We have no record of this call. Our records of that time are complete.',
  'not-retained': 'Records of that time have been removed: whether there was such a call cannot be said.',
  'not-our-number': 'The called number is not served by us, and was not when the call was made.',
  'not-sent-to-downstream': 'We have a record of such a call, but did not send it to the provider that named us.',
  ambiguous: 'Several calls fit what was stated, and they cannot be told apart.',
  'serves-number': 'The number is served by us, for our customer.',
  'number-served-by': 'The number is served by another provider.',
  refused: 'No answer is given.',
};

/** What was done about whoever sent the call. */
export const ACTION_WORDS: Readonly<Record<CustomerAction, string>> = {
  none: 'no action',
  'under-review': 'under review',
  warned: 'warned',
  suspended: 'suspended',
  terminated: 'terminated',
};

/** One field of a form: what it is called, and what is put into it. */
type PortalField = ReturnType<typeof portalFields>[number];

/** A label and what stands behind it; undefined where there is nothing to say. */
type Said = readonly [label: string, value: string | number | undefined];

/** What an arm adds to its words, in the order in which a form asks for it. */
function findingFields(finding: TracebackFinding): readonly Said[] {
  switch (finding.arm) {
    case 'received-from':
      return providerSaid('Received from', finding.upstream);
    case 'received-from-unlisted':
      return contactSaid('Provider not listed', finding.upstream);
    case 'point-of-entry':
      return contactSaid('Foreign provider', finding.upstream);
    case 'origin':
    case 'serves-number':
      return customerSaid(finding.customer);
    case 'not-retained':
      return [['Records retained from', finding.retainedFrom]];
    case 'not-sent-to-downstream':
      return providerSaid('Not sent to', finding.downstream);
    case 'ambiguous':
      return [['Calls that fit', finding.candidates]];
    case 'number-served-by':
      return providerSaid('Number served by', finding.provider);
    case 'refused':
      return [['Reason', finding.reason]];
    case 'not-found':
    case 'not-our-number':
      return [];
    default:
      return finding satisfies never;
  }
}

function providerSaid(label: string, { name, providerId, ocn, spc, frn }: ProviderReference): readonly Said[] {
  return [
    [label, name],
    [`${label}, registry ID`, providerId],
    [`${label}, OCN`, ocn],
    [`${label}, SPC`, spc],
    [`${label}, FRN`, frn],
  ];
}

function contactSaid(
  label: string,
  { name, email, telephone, postalAddress, country }: ContactDetails,
): readonly Said[] {
  return [
    [label, name],
    [`${label}, email`, email],
    [`${label}, phone`, telephone],
    [`${label}, address`, postalAddress],
    [`${label}, country`, country],
  ];
}

function customerSaid({ customerId, contact, knowYourCustomer, action }: CustomerStatement): readonly Said[] {
  return [
    ['Customer account', customerId],
    ...(contact === undefined ? [] : contactSaid('Customer', contact)),
    ['Know your customer', knowYourCustomer],
    ['Action taken', action === undefined ? undefined : ACTION_WORDS[action]],
  ];
}

/** For which times what was looked for. */
function searchText({ windows, keys, recordsConsidered }: SearchStatement): string {
  const times = windows.map(({ from, to }) => `${from} to ${to}`).join(' and ');
  const records = `${String(recordsConsidered)} ${recordsConsidered === 1 ? 'record' : 'records'} weighed`;
  return `${times === '' ? 'no time' : times}, by ${keys.length === 0 ? 'nothing' : keys.join(', ')}; ${records}`;
}

/** What a message is made of. */
interface MessageParts {
  /** An address that has been looked at, and a name in any characters. */
  readonly from: { readonly name?: string; readonly address: string };
  readonly to: string | undefined;
  readonly subject: string;
  readonly dateMs: number;
  /** With its angle brackets, as all ids. */
  readonly messageId: string;
  readonly inReplyTo: string | undefined;
  readonly references: string | undefined;
  readonly text: string;
}

/**
 * Writes a message with a plain text body. Whatever is in names, subject and text, no header comes of it: line ends become spaces, what is
 * not ASCII or looks like an encoded word is encoded, and the body is quoted-printable.
 * @see RFC 5322, RFC 2047, RFC 2045 section 6.7
 */
function internetMessage(parts: MessageParts): string {
  const { from, to, inReplyTo, references } = parts;
  const headers = [
    `From: ${mailboxText(from)}`,
    ...(to === undefined ? [] : [`To: ${to}`]),
    `Subject: ${headerText(parts.subject)}`,
    `Date: ${dateText(parts.dateMs)}`,
    `Message-ID: ${parts.messageId}`,
    ...(inReplyTo === undefined ? [] : [`In-Reply-To: ${inReplyTo}`]),
    ...(references === undefined ? [] : [`References: ${references.split(' ').join('\r\n ')}`]),
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: quoted-printable',
  ];
  return [...headers, '', quotedPrintable(parts.text), ''].join('\r\n');
}

/** Longest subject; what is longer is cut. */
const MAX_SUBJECT_CHARS = 256;

/** Characters that a line has at most without its end: those that every mail program shows. @see RFC 5322 section 2.1.1 */
const MAX_LINE = 76;

/** Octets of an encoded word: 45 make 60 characters of base64, and a word has 75 at most. @see RFC 2047 section 2 */
const MAX_WORD_OCTETS = 45;

function headerText(text: string): string {
  const visible = visibleText(text).slice(0, MAX_SUBJECT_CHARS);
  return isPlain(visible) ? visible : encodedWords(visible);
}

/** Short words of ASCII, none of them an encoded one: they need no folding, since a subject has 256 characters and a line may have 998. */
function isPlain(text: string): boolean {
  return /^[ -~]*$/.test(text) && !text.includes('=?');
}

function mailboxText({ name, address }: MessageParts['from']): string {
  const visible = visibleText(name ?? '').slice(0, MAX_SUBJECT_CHARS);
  if (visible === '') return address;
  if (!isPlain(visible)) return `${encodedWords(visible)} <${address}>`;
  return `"${visible.replace(/["\\]/g, '\\$&')}" <${address}>`;
}

/** @see RFC 2047 section 4.1 */
function encodedWords(text: string): string {
  const words: string[] = [];
  let octets = 0;
  let word = '';
  for (const character of text) {
    const size = Buffer.byteLength(character);
    // A character is not divided between two words.
    if (octets + size > MAX_WORD_OCTETS) {
      words.push(word);
      [word, octets] = ['', 0];
    }
    word += character;
    octets += size;
  }
  words.push(word);
  return words.map((part) => `=?utf-8?B?${Buffer.from(part).toString('base64')}?=`).join('\r\n ');
}

/** @see RFC 5322 section 3.3 */
function dateText(ms: number): string {
  return new Date(ms).toUTCString().replace('GMT', '+0000');
}

/** @see RFC 2045 section 6.7 */
function quotedPrintable(text: string): string {
  return text
    .split('\n')
    .map((line) => softLines(line).join('=\r\n'))
    .join('\r\n');
}

function softLines(line: string): readonly string[] {
  const octets = Buffer.from(line);
  const lines: string[] = [];
  let current = '';
  for (const [at, octet] of octets.entries()) {
    const isBlank = octet === 0x20 || octet === 0x09;
    const isPlainOctet = (octet > 0x20 && octet < 0x7f && octet !== 0x3d) || (isBlank && at < octets.length - 1);
    // `From ` and a lone dot at the start of a line are changed on some ways.
    const isFragile = current === '' && (octet === 0x46 || octet === 0x2e);
    const written =
      isPlainOctet && !isFragile ? String.fromCharCode(octet) : `=${octet.toString(16).toUpperCase().padStart(2, '0')}`;
    if (current.length + written.length >= MAX_LINE) {
      lines.push(current);
      current = '';
    }
    current += written;
  }
  return [...lines, current];
}

/**
 * An answer as the fields of a form, in the order in which the portal of a traceback group asks: which request, which response, what the
 * response needs, the call, what was done, what was searched, comments. Each arm has its own fields; what is not known is left out. Values
 * are one line each, ids that the requester did not state are left out, and so are characters that nobody sees. Never throws.
 * @param answer - of the asked provider
 * @param request - that it answers
 * @returns labels and values, to be copied one by one
 * @see 47 CFR 64.1200(n)(1)
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
 * if (read?.status === 'clear') console.log(portalFields(answer, read.request)[3]?.label); // Response
 * ```
 */
export function portalFields(
  answer: TracebackAnswer,
  request: TracebackRequest,
): readonly { readonly label: string; readonly value: string }[] {
  const { finding, call, upstreamAction, amends } = answer;
  return said([
    ['Traceback', isDerivedId(request.tracebackId) ? undefined : request.tracebackId],
    ['Request', isDerivedId(request.requestId) ? undefined : request.requestId],
    ['Called number', request.call.called],
    ['Calling number', request.call.calling],
    ['Date and time asked for', request.call.at.asWritten],
    ['Response', FINDING_WORDS[finding.arm]],
    ...findingFields(finding),
    ...(call === undefined ? [] : callSaid(call)),
    ['Action about the sender of the call', upstreamAction === undefined ? undefined : ACTION_WORDS[upstreamAction]],
    ['Searched', searchText(answer.searched)],
    ['Evidence', evidenceText(answer)],
    ['Amends', amends === undefined ? undefined : `answer ${amends.answerId}: ${amends.reason}`],
    ['Comments', answer.comment],
  ]);
}

function callSaid(call: AnsweredCall): readonly Said[] {
  const { received, signed, release } = call;
  return [
    ['Call began', call.startedAt],
    ['Call answered', call.answeredAt],
    ['Call ended', call.endedAt],
    ['Number called, in our record', call.called],
    ['Other numbers for the called party, in our record', call.divertedTo?.join(', ')],
    ['Number calling, in our record', call.calling],
    ['Outcome of the call', call.disposition],
    ['Release cause', release === undefined ? undefined : releaseText(release)],
    ['Blocked by', call.blockedBy],
    ['Ingress trunk', call.ingressTrunk],
    ['Source IP of the signaling', call.ingressAddress],
    ['SIP Call-ID', call.ingressCallId],
    ['Egress trunk', call.egressTrunk],
    ['Attestation received', received?.attestation],
    ['Verification result', received?.verstat],
    ['OrigID received', received?.origId],
    ['Signed by (SPC)', received?.spc],
    ['Attestation that we signed', signed?.attestation],
    ['Basis of our attestation', signed?.basis],
    ['OrigID that we signed', signed?.origId],
  ];
}

function releaseText({ sipStatus, q850Cause, cause, party }: NonNullable<AnsweredCall['release']>): string | undefined {
  const parts = [
    sipStatus === undefined ? undefined : `SIP ${String(sipStatus)}`,
    q850Cause === undefined ? undefined : `Q.850 ${String(q850Cause)}`,
    cause,
    party === undefined ? undefined : `by the ${party} party`,
  ].filter((part) => part !== undefined);
  return parts.length === 0 ? undefined : parts.join(', ');
}

function evidenceText({ evidence }: TracebackAnswer): string | undefined {
  if (evidence === undefined) return undefined;
  return `pack ${evidence.packId}, manifest SHA-256 ${evidence.manifestSha256}`;
}

function said(fields: readonly Said[]): readonly PortalField[] {
  return fields.flatMap(([label, value]) => {
    const shown = value === undefined ? '' : visibleText(String(value));
    return shown === '' ? [] : [{ label, value: shown }];
  });
}

/**
 * A request as the labelled text that people send each other, which {@link readPastedText} reads back as the same request. Whatever stands in
 * its values, none of them becomes another field: what could be read as one is set behind a bar. Never throws.
 * @param request - any request
 * @returns lines with a line feed behind each
 * @see docs/guides/traceback-intake.md
 * @example
 * ```ts
 * const text = 'Request ID: r-1\nCalled Number: +12025550101\nDate/Time of call: 2026-10-23 15:41 UTC';
 * const [read] = readPastedText(text, { receivedAtMs: Date.UTC(2026, 9, 24) }).requests;
 * if (read?.status === 'clear') console.log(requestText(read.request).split('\n')[1]); // Request ID: r-1
 * ```
 */
export function requestText(request: TracebackRequest): string {
  const fields = [...messageFields(request), ...callFields(request)];
  return ['Traceback request', ...fields.flatMap(fieldLines), ''].join('\n');
}

function messageFields({ requester, campaign, ...request }: TracebackRequest): readonly PortalField[] {
  return stated([
    ['Request ID', request.requestId],
    ['Traceback ID', request.tracebackId],
    ['Direction', request.direction],
    ['Hop', request.hop],
    ['Requester kind', requester.kind],
    ['Requester', requester.name],
    ['Requester email', requester.email],
    ['Issued at', request.issuedAt],
    ['Due at', request.dueAt],
    ...providerFields('Provider', request.provider),
    ...(request.downstream === undefined ? [] : providerFields('Downstream', request.downstream)),
    ['Campaign', campaign?.name],
    ['Campaign ID', campaign?.campaignId],
    ['Recording SHA-256', campaign?.recordingSha256],
    ['Campaign description', campaign?.description],
    ['Transcript', campaign?.transcript],
    ['Comment', request.comment],
  ]);
}

function providerFields(label: string, { name, providerId, ocn, spc, frn }: ProviderReference): readonly Said[] {
  return [
    [label, name],
    [`${label} ID`, providerId],
    [`${label} OCN`, ocn],
    [`${label} SPC`, spc],
    [`${label} FRN`, frn],
  ];
}

function callFields({ call }: TracebackRequest): readonly PortalField[] {
  return stated([
    ['Called Number', call.called],
    ['Calling Number', call.calling],
    ['Date/Time of call', `${call.at.local}${zoneText(call.at)}`],
    ['Time as written', call.at.asWritten],
    ['Precision', call.at.precision],
    ['SIP Call-ID', call.callId],
    ['OrigID', call.origId],
    ['Record ID', call.recordId],
    ['Attestation', call.attestation],
    ['SPC', call.spc],
    ['Duration', call.durationSeconds],
  ]);
}

function zoneText({ zone }: StatedTime): string {
  if (zone === undefined) return '';
  return /^[+-]/.test(zone) ? zone : ` ${zone}`;
}

function stated(fields: readonly Said[]): readonly PortalField[] {
  return fields.flatMap(([label, value]) =>
    value === undefined || value === '' ? [] : [{ label, value: String(value) }],
  );
}

/** In a line of their own, or behind bars where a value has several lines or could be taken for another field. */
function fieldLines({ label, value }: PortalField): readonly string[] {
  if (!/[,;|\t\r\n]| {2}|^[\s*_|>-]|[\s*_|]$/.test(value)) return [`${label}: ${value}`];
  return [`${label}:`, ...value.split(/\r\n|[\r\n]/).map((line) => (line === '' ? '  |' : `  | ${line}`))];
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
  options: {
    /** Who answers. */
    readonly from: { readonly name?: string; readonly address: string };
    /** Default whoever asked. */
    readonly to?: string;
    /** The e-mail that the request came in, as {@link readEmail} gives it back: the answer is a reply to it. */
    readonly inReplyTo?: NonNullable<IntakeReport['email']>;
  },
): {
  readonly from: string;
  /** Absent where nobody knows an address. */
  readonly to?: string;
  readonly subject: string;
  /** The body as people read it; lines with a line feed behind each. */
  readonly text: string;
  /** The whole message, with CRLF line ends. RFC 5322 */
  readonly message: string;
} {
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
    to: recipient,
    subject,
    dateMs: Number.isNaN(dateMs) ? 0 : dateMs,
    messageId: `<${digest.slice(0, 32)}@${domainOf(sender)}>`,
    inReplyTo: isMessageIds(messageId) ? messageId : undefined,
    references: isMessageIds(references) ? references : undefined,
    text,
  });
  return defined({
    from: sender,
    to: recipient,
    subject,
    text,
    message,
  });
}

function checkedAddress(address: string, name: string): string {
  const checked = emailAddress(address);
  if (checked !== undefined && checked === address) return checked;
  throw new HopbackError(
    'invalid-argument',
    `The address of ${name} is invalid: give one mailbox, without a name or brackets.`,
  );
}

/** Reports are plain data that may have gone through other hands. @see RFC 5322 section 3.6.4 */
function isMessageIds(text: string | undefined): text is string {
  return text !== undefined && text.length <= 4_300 && /^<[!-;=?-~]{1,250}>(?: <[!-;=?-~]{1,250}>){0,16}$/.test(text);
}

function recipientOf({ requester }: TracebackRequest, received: IntakeReport['email']): string | undefined {
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
  received: IntakeReport['email'],
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
