import { answerEmail, portalFields, readEmail } from '@hopback/sdk/traceback';
import { FINDING_WORDS } from '../../sdk/src/traceback/intake/answer-email.js';
import type { IntakeReport, TracebackAnswer, TracebackFinding, TracebackRequest } from '@hopback/sdk/traceback';
import { expect, test } from 'vitest';
import { messageText } from '../support/internet-message.js';
import { answerTo } from '../support/traceback-course.js';

const REQUEST: TracebackRequest = {
  format: 'hopback.traceback-request.1',
  requestId: 'r-1',
  tracebackId: '4711',
  direction: 'back',
  hop: 2,
  requester: { kind: 'itg', name: 'ITG', email: 'requests@tracebacks.org' },
  issuedAt: '2026-10-23T19:50:00Z',
  provider: { name: 'Example Telephone' },
  call: {
    called: '+12025550101',
    calling: '+12025550142',
    at: { asWritten: '10/23/2026 3:41 PM EDT', local: '2026-10-23T15:41', zone: '-04:00', precision: 'minute' },
  },
};

const UPSTREAM = { name: 'Example Wholesale', ocn: '123A', frn: '0012345678' };
const CONTACT = { name: 'Exemple Télécom', email: 'noc@example.net', telephone: '+442079460000', country: 'GB' };
const CUSTOMER = {
  customerId: 'c-77',
  contact: { name: 'Example Marketing' },
  knowYourCustomer: 'Contract and\nidentity were checked.',
  action: 'suspended',
} as const;

const CONTACT_LABELS = ['', ', email', ', phone', ', country'];
const CODE_LABELS = ['', ', OCN', ', FRN'];
const CUSTOMER_LABELS = ['Customer account', 'Customer', 'Know your customer', 'Action taken'];
const labels = (of: string, ends: readonly string[]): readonly string[] => ends.map((end) => `${of}${end}`);

/** For each arm a finding, and the labels of a form between the response and the search. */
const ARMS: readonly (readonly [TracebackFinding, readonly string[]])[] = [
  [{ arm: 'received-from', upstream: UPSTREAM }, labels('Received from', CODE_LABELS)],
  [{ arm: 'received-from-unlisted', upstream: CONTACT }, labels('Provider not listed', CONTACT_LABELS)],
  [{ arm: 'origin', customer: CUSTOMER }, CUSTOMER_LABELS],
  [{ arm: 'point-of-entry', upstream: CONTACT }, labels('Foreign provider', CONTACT_LABELS)],
  [{ arm: 'not-found' }, []],
  [{ arm: 'not-retained', retainedFrom: '2025-06-01T00:00:00Z' }, ['Records retained from']],
  [{ arm: 'not-our-number' }, []],
  [{ arm: 'not-sent-to-downstream', downstream: UPSTREAM }, labels('Not sent to', CODE_LABELS)],
  [{ arm: 'ambiguous', candidates: 3 }, ['Calls that fit']],
  [{ arm: 'serves-number', customer: CUSTOMER }, CUSTOMER_LABELS],
  [{ arm: 'number-served-by', provider: UPSTREAM }, labels('Number served by', CODE_LABELS)],
  [{ arm: 'refused', reason: 'Under seal.' }, ['Reason']],
];

const answerOf = (finding: TracebackFinding, more: Partial<TracebackAnswer> = {}): TracebackAnswer => ({
  ...answerTo('r-1', { name: 'Example Telephone' }, finding, { answerId: 'a-1' }),
  answeredAt: '2026-10-23T20:01:00Z',
  searched: {
    windows: [{ from: '2026-10-23T18:41:00Z', to: '2026-10-23T20:41:00Z' }],
    keys: ['called'],
    coverage: [],
    recordsConsidered: 1,
  },
  ...more,
});

const FROM: Parameters<typeof answerEmail>[2] = { from: { name: 'NOC', address: 'noc@example.com' } };

test('the table has every arm', () => {
  expect(new Set(ARMS.map(([{ arm }]) => arm))).toEqual(new Set(Object.keys(FINDING_WORDS)));
});

test.each(ARMS)('%j has the fields that a form asks for, and an e-mail that is read back', async (finding, asked) => {
  const answer = answerOf(finding);
  const fields = portalFields(answer, REQUEST);
  expect(fields.map(({ label }) => label)).toEqual([
    ...['Traceback', 'Request', 'Called number', 'Calling number', 'Date and time asked for', 'Response'],
    ...asked,
    'Searched',
  ]);
  expect(fields[5]?.value).toBe(FINDING_WORDS[finding.arm]);
  for (const { value } of fields) expect(value).toMatch(/^[^\r\n]+$/);
  const email = answerEmail(answer, REQUEST, FROM);
  const { headers, body } = messageText(email.message);
  expect(Object.fromEntries(headers)).toMatchObject({
    From: '"NOC" <noc@example.com>',
    To: 'requests@tracebacks.org',
    Date: 'Fri, 23 Oct 2026 20:01:00 +0000',
  });
  expect(body.trimEnd()).toBe(email.text.trimEnd());
  const { email: read } = await readEmail(Buffer.from(email.message), { receivedAtMs: 0 });
  expect(read).toEqual({
    fromName: 'NOC',
    fromAddress: 'noc@example.com',
    subject: email.subject,
    date: '2026-10-23T20:01:00Z',
    messageId: expect.stringMatching(/^<[0-9a-f]{32}@example\.com>$/),
  });
  expect(answerEmail(answer, REQUEST, FROM)).toEqual(email);
});

test('the fields include the record of the call, the search and the action, if they are known', () => {
  const answer = answerOf(
    { arm: 'received-from', upstream: UPSTREAM },
    {
      call: {
        startedAt: '2026-10-23T19:41:07Z',
        disposition: 'answered',
        release: { sipStatus: 200, q850Cause: 16, party: 'calling' },
        ingressTrunk: 'east-1',
        ingressAddress: '192.0.2.1:5060',
        received: { attestation: 'B', spc: '5678' },
        signed: { attestation: 'C', basis: 'gateway' },
      },
      upstreamAction: 'warned',
      revision: 2,
      amends: { answerId: 'a-0', reason: 'wrong trunk' },
      comment: 'See attachment.',
      evidence: { packId: 'p-1', manifestSha256: 'ab', logId: 'l', leafIndex: 4 },
    },
  );
  const values = Object.fromEntries(portalFields(answer, REQUEST).map(({ label, value }) => [label, value]));
  expect(values).toMatchObject({
    'Release cause': 'SIP 200, Q.850 16, by the calling party',
    'Source IP of the signaling': '192.0.2.1:5060',
    'Attestation received': 'B',
    'Basis of our attestation': 'gateway',
    'Action about the sender of the call': 'warned',
    Searched: '2026-10-23T18:41:00Z to 2026-10-23T20:41:00Z, by called; 1 record weighed',
    Amends: 'answer a-0: wrong trunk',
    Evidence: 'pack p-1, manifest SHA-256 ab',
    Comments: 'See attachment.',
  });
  expect(answerEmail(answer, REQUEST, FROM).text).toContain('This is revision 2 of our answer.');
});

test('an answer to an e-mail is a reply to it', () => {
  const inReplyTo: IntakeReport['email'] = {
    messageId: '<2@tracebacks.org>',
    references: '<0@tracebacks.org> <1@tracebacks.org>',
    subject: 'Traceback 4711',
    fromAddress: 'requests@tracebacks.org',
    replyTo: 'answers@tracebacks.org',
  };
  const email = answerEmail(answerOf({ arm: 'not-found' }), REQUEST, { ...FROM, inReplyTo });
  expect(Object.fromEntries(messageText(email.message).headers)).toMatchObject({
    Subject: 'Re: Traceback 4711',
    'In-Reply-To': '<2@tracebacks.org>',
    References: '<0@tracebacks.org> <1@tracebacks.org> <2@tracebacks.org>',
    To: 'answers@tracebacks.org',
  });
});

test('an answer is not sent to a stranger that a Reply-To names', () => {
  const inReplyTo = { fromAddress: 'requests@tracebacks.org', replyTo: 'answers@example.net' };
  expect(answerEmail(answerOf({ arm: 'origin', customer: CUSTOMER }), REQUEST, { ...FROM, inReplyTo }).to).toBe(
    'requests@tracebacks.org',
  );
  const { email: _none, ...requester } = REQUEST.requester;
  expect(
    answerEmail(answerOf({ arm: 'origin', customer: CUSTOMER }), { ...REQUEST, requester }, FROM).to,
  ).toBeUndefined();
});

test.each([
  'noc@example.com\r\nBcc: victim@example.net',
  'NOC <noc@example.com>',
  'noc',
  'noc@example.com, victim@example.net',
  '',
])('%j is not an address to send from or to', (address) => {
  const answer = answerOf({ arm: 'not-found' });
  const refused = expect.objectContaining({ code: 'invalid-argument' });
  expect(() => answerEmail(answer, REQUEST, { from: { address } })).toThrow(refused);
  expect(() => answerEmail(answer, REQUEST, { ...FROM, to: address })).toThrow(refused);
});
