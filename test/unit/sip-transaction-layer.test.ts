import { expect, test } from 'vitest';
import { serverKey } from '../../harness/src/drachtio/transaction/transaction-layer.js';
import { receivedFrom, requestText, responseText, type RequestSample } from '../support/sip-samples.js';
import { createTransactionLab, NOTHING_LEFT } from '../support/sip-transactions.js';

/** How many transactions come of requests, and how often each was told. */
const toldOf = (...texts: readonly string[]): readonly string[] => {
  const { arrive, told } = createTransactionLab();
  for (const text of texts) arrive(text);
  return told;
};
const via = (sentBy: string, branch = ';branch=z9hG4bKone'): RequestSample => ({
  via: `SIP/2.0/UDP ${sentBy}${branch}`,
});

test('requests with one branch, sent-by and method are one', () => {
  const again = requestText('OPTIONS', { ...via('h:5060'), callId: 'other', cseq: 9, from: '<sip:x>;tag=9' });
  expect(toldOf(requestText('OPTIONS', via('h:5060')), again)).toEqual(['request OPTIONS']);
});

test.each([
  ['another branch', requestText('OPTIONS', via('h:5060', ';branch=z9hG4bKtwo'))],
  ['another host', requestText('OPTIONS', via('i:5060'))],
  ['another port', requestText('OPTIONS', via('h:5061'))],
  ['no port', requestText('OPTIONS', via('h'))],
  ['another method', requestText('INFO', via('h:5060'))],
])('a request with %s is another', (_what, text) => {
  expect(toldOf(requestText('OPTIONS', via('h:5060')), text)).toHaveLength(2);
});

test('an ACK belongs to the INVITE with its branch where that has failed, and to nobody here where it has not', () => {
  const { arrive, told, servers } = createTransactionLab();
  arrive(requestText('INVITE'));
  servers[0]?.respond(486, responseText(486));
  arrive(requestText('ACK'));
  expect(servers[0]?.state).toBe('confirmed');
  arrive(requestText('ACK', { branch: 'z9hG4bKtwo' }));
  expect(told).toEqual(['request INVITE', 'ack']);
});

test('an ACK to a 2xx has a branch of its own, and is handed up', () => {
  const { arrive, told, servers } = createTransactionLab();
  arrive(requestText('INVITE'));
  servers[0]?.respond(200, responseText(200));
  arrive(requestText('ACK', { branch: 'z9hG4bKtwo' }));
  expect(told).toEqual(['request INVITE', 'ack']);
});

test('an ACK in front of any answer says nothing', () => {
  const { arrive, told, servers } = createTransactionLab();
  arrive(requestText('INVITE'));
  arrive(requestText('ACK'));
  expect(told).toEqual(['request INVITE']);
  expect(servers[0]?.state).toBe('proceeding');
});

test('a CANCEL comes beside the INVITE that it means, once, and is a transaction of its own', () => {
  const { arrive, told, servers, cancelled, sendings, layer } = createTransactionLab();
  arrive(requestText('INVITE'));
  arrive(requestText('CANCEL'));
  expect(told).toEqual(['request INVITE', 'cancel']);
  expect(cancelled).toEqual([servers[0]]);
  servers[1]?.respond(200, responseText(200, { method: 'CANCEL' }));
  arrive(requestText('CANCEL'));
  expect(told).toHaveLength(2);
  expect(sendings).toHaveLength(2);
  expect(servers[0]?.state).toBe('proceeding');
  expect(layer.counts().server).toBe(2);
});

test.each([
  ['another branch', { branch: 'z9hG4bKtwo' }],
  ['another sent-by', via('h')],
])('a CANCEL with %s means no INVITE that is here', (_what, sample) => {
  expect(toldOf(requestText('INVITE'), requestText('CANCEL', sample))).toEqual(['request INVITE', 'cancel nothing']);
});

test('a CANCEL of anything but an INVITE means nothing', () => {
  expect(toldOf(requestText('OPTIONS'), requestText('CANCEL'))).toEqual(['request OPTIONS', 'cancel nothing']);
});

/** Of an element that makes no branches of its own. @see RFC 3261 section 17.2.3 */
const old = (method: string, sample: RequestSample = {}): string =>
  requestText(method, { via: 'SIP/2.0/UDP h:5060', ...sample });

test.each([
  ['no branch', {}],
  ['a branch of its own making', { via: 'SIP/2.0/UDP h:5060;branch=7' }],
  ['the magic cookie and nothing else for a branch', { via: 'SIP/2.0/UDP h:5060;branch=z9hG4bK' }],
])('of an old element with %s, INVITE, its repeat, its ACK and its CANCEL belong together', (_what, sample) => {
  const { arrive, told, servers, cancelled } = createTransactionLab();
  arrive(old('INVITE', sample));
  arrive(old('INVITE', sample));
  arrive(old('CANCEL', sample));
  expect(cancelled).toEqual([servers[0]]);
  servers[0]?.respond(486, responseText(486));
  arrive(old('ACK', { ...sample, to: '<sip:bob@example.com>;tag=b1' }));
  expect(servers[0]?.state).toBe('confirmed');
  expect(told).toEqual(['request INVITE', 'cancel']);
});

test.each<readonly [string, RequestSample]>([
  ['Request-URI', { requestUri: 'sip:carol@example.com' }],
  ['From tag', { from: '"Alice" <sip:alice@example.org>;tag=a2' }],
  ['From', { from: '"Alice" <sip:alice@example.net>;tag=a1' }],
  ['Call-ID', { callId: 'call-2@192.0.2.9' }],
  ['CSeq', { cseq: 2 }],
  ['Via', { via: 'SIP/2.0/UDP h:5061' }],
  ['branch', { via: 'SIP/2.0/UDP h:5060;branch=7' }],
])('of an old element a request with another %s is another', (_what, sample) => {
  expect(toldOf(old('INVITE'), old('INVITE', sample))).toEqual(['request INVITE', 'request INVITE']);
});

test('of an old element the ACK to a 2xx is handed up', () => {
  const { arrive, told, servers } = createTransactionLab();
  arrive(old('INVITE'));
  servers[0]?.respond(200, responseText(200));
  arrive(old('ACK', { to: '<sip:bob@example.com>;tag=b1' }));
  expect(told).toEqual(['request INVITE', 'ack']);
});

test('what stands behind the first Via value does not tell the requests of an old element apart', () => {
  const key = (value: string): string => serverKey(receivedFrom(old('INVITE', { via: value })), 'INVITE');
  expect(key('SIP/2.0/UDP h, SIP/2.0/UDP i')).toBe(key('SIP/2.0/UDP h'));
});

test('whether a request is known is answered without a trace', () => {
  const { layer, arrive, told } = createTransactionLab();
  const received = receivedFrom(requestText('INVITE'));
  expect(layer.isKnown(received)).toBe(false);
  arrive(requestText('INVITE'));
  expect(layer.isKnown(received)).toBe(true);
  expect(layer.isKnown(receivedFrom(requestText('INVITE', { branch: 'z9hG4bKtwo' })))).toBe(false);
  expect(told).toHaveLength(1);
});

test('after its end a request that comes again is new', () => {
  const { arrive, told, servers, clock } = createTransactionLab();
  arrive(requestText('OPTIONS'));
  servers[0]?.respond(200, responseText(200));
  clock.advance(32_000);
  arrive(requestText('OPTIONS'));
  expect(told).toEqual(['request OPTIONS', 'request OPTIONS']);
});

test('closing ends everything without an event, and leaves nothing', () => {
  const { arrive, servers, request, layer, left, sendings, clock, flow } = createTransactionLab();
  arrive(requestText('INVITE'));
  arrive(requestText('INVITE', { branch: 'z9hG4bKtwo' }));
  arrive(requestText('OPTIONS', { branch: 'z9hG4bKthree' }));
  servers[1]?.respond(486, responseText(486));
  servers[2]?.respond(200, responseText(200));
  const { told } = request('INVITE');
  const count = sendings.length;
  expect(layer.counts()).toEqual({ server: 3, client: 1 });
  layer.close();
  expect(left()).toEqual(NOTHING_LEFT);
  clock.advance(3_600_000);
  flow.fail();
  expect(sendings).toHaveLength(count);
  expect(told).toEqual(['end']);
});
