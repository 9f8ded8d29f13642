import { expect, test } from 'vitest';
import type { CallRecord } from '../../sdk/src/contract/call-record.js';
import { createHepReader, type HepReaderOptions, type HepSource } from '../../sdk/src/records/ingest/hep-reader.js';
import {
  answeredCall,
  back,
  CALL_US,
  captured,
  ENDS,
  through,
  type CapturedMessage,
} from '../support/captured-call.js';
import { hepPacket } from '../support/hep-packets.js';
import { recordsOf as recordsIn } from '../support/record-samples.js';

const SOURCE: HepSource = {
  id: 'proxy-1',
  format: 'hep',
  time: { zone: 'utc' },
  ownAddresses: ['198.51.100.1'],
  providers: { '192.0.2.10': 'Up Telecom', '203.0.113.20': 'First Telecom', '203.0.113.30': 'Second Telecom' },
};

const OUT = { branch: 'z9hG4bKout' };

function recordsOf(messages: readonly CapturedMessage[], options: HepReaderOptions = {}): readonly CallRecord[] {
  const reader = createHepReader(SOURCE, options);
  const readings = messages.flatMap((message) => reader.readPacket(captured(message), CALL_US));
  return recordsIn([...readings, ...reader.expire(Number.POSITIVE_INFINITY)]);
}

type Parts = Partial<CapturedMessage>;

/** A request that comes in from upstream, and a response that goes back to it. */
const incoming = (what: string, atMs: number, parts: Parts = {}): CapturedMessage => ({
  ...{ what, atMs, from: ENDS.upstream, to: ENDS.switchIn, via: ['z9hG4bKin'] },
  ...parts,
});
const returned = (what: string, atMs: number, parts: Parts = {}): CapturedMessage => ({
  ...{ what, atMs, from: ENDS.switchIn, to: ENDS.upstream, via: ['z9hG4bKin'] },
  ...parts,
});

/** Times in milliseconds behind the start of the calls. */
function ms(atUs: number | undefined): number | undefined {
  return atUs === undefined ? undefined : (atUs - CALL_US) / 1_000;
}

test('makes one record of an answered call: both hops, three times, who hung up', () => {
  const [record, ...others] = recordsOf(answeredCall());
  expect(others).toEqual([]);
  expect(record).toMatchObject({
    source: { id: 'proxy-1', format: 'hep' },
    callGroupId: 'call-1@192.0.2.10',
    time: { written: 'observed', resolutionUs: 1 },
    calling: { asWritten: 'sip:+12025550101@192.0.2.10', tn: '12025550101' },
    called: { tn: '12025550123' },
    ingress: { address: '192.0.2.10:5060', provider: 'Up Telecom', callId: 'call-1@192.0.2.10' },
    egress: { address: '203.0.113.20:5060', provider: 'First Telecom', callId: 'call-1@192.0.2.10' },
    disposition: 'answered',
    release: { party: 'calling' },
  });
  expect([ms(record?.inviteAtUs), ms(record?.answeredAtUs), ms(record?.endedAtUs)]).toEqual([0, 2_000, 10_000]);
});

test('makes the same record where any one packet is lost, but for a time that only it told', () => {
  const messages = answeredCall();
  const [whole] = recordsOf(messages);
  for (const lost of messages) {
    const [record, ...others] = recordsOf(messages.filter((message) => message !== lost));
    const { disposition, ingress, egress } = record as CallRecord;
    const what = `${lost.what} of ${lost.from.address}`;
    expect([what, disposition, ingress, egress, others]).toEqual([what, 'answered', whole?.ingress, whole?.egress, []]);
    expect(Math.abs((record?.endedAtUs ?? 0) - (whole?.endedAtUs ?? 0))).toBeLessThan(2_000);
  }
});

test('knows an answered call by its ACK or BYE where every 200 was lost', () => {
  const messages = answeredCall().filter(({ what }) => what !== '200 INVITE');
  const [record, ...others] = recordsOf(messages);
  expect(others).toEqual([]);
  expect([record?.disposition, record?.answeredAtUs, ms(record?.endedAtUs)]).toEqual(['answered', undefined, 10_000]);
  expect(recordsOf(messages.filter(({ what }) => what !== 'ACK'))[0]?.disposition).toBe('answered');
});

test('says that the called side hung up where its BYE comes', () => {
  const bye: CapturedMessage = {
    ...{ what: 'BYE', atMs: 9_000, cseq: 7, from: ENDS.first, to: ENDS.switchOut, via: ['z9hG4bKbye'] },
    ...{ fromTag: 'callee', toTag: 'caller', calling: '12025550123', called: '+12025550101' },
    headers: ['Reason: Q.850;cause=16;text="Normal call clearing"'],
  };
  const others = answeredCall().filter(({ what }) => what !== 'BYE');
  const [record] = recordsOf([...others, bye]);
  expect(record).toMatchObject({ release: { party: 'called', q850Cause: 16 }, endedAtUs: CALL_US + 9_000_000 });
  // Q.850 ends at 127.
  const [odd] = recordsOf([...others, { ...bye, headers: ['Reason: Q.850;cause=500'] }]);
  expect(odd?.release).toEqual({ party: 'called' });
});

test('makes a record of each of two phones behind one branch that both answered', () => {
  const second = answeredCall().flatMap((message) =>
    message.what === '200 INVITE' || message.what === 'BYE'
      ? [{ ...message, toTag: 'phone-2', atMs: message.atMs + 20 }]
      : [],
  );
  const records = recordsOf([...answeredCall(), ...second]);
  expect(records.map(({ disposition, endedAtUs }) => [disposition, ms(endedAtUs)])).toEqual([
    ['answered', 10_000],
    ['answered', 10_020],
  ]);
});

test('says that the caller gave up where a CANCEL came in', () => {
  const records = recordsOf([
    ...through({ what: 'INVITE', atMs: 0 }, OUT),
    ...through({ what: 'CANCEL', atMs: 3_000 }, OUT),
    ...back({ what: '200 CANCEL', atMs: 3_001 }, OUT),
    ...back({ what: '487 INVITE', atMs: 3_010, toTag: 'callee' }, OUT),
  ]);
  expect(records).toHaveLength(1);
  expect(records[0]).toMatchObject({ disposition: 'cancelled', release: { sipStatus: 487, party: 'calling' } });
});

test('takes an INVITE that was challenged and sent again for one call', () => {
  const first = { via: ['z9hG4bKfirst'] };
  const sentOn = { cseq: 2, from: ENDS.switchOut, to: ENDS.first, via: [OUT.branch, 'z9hG4bKin'] };
  const records = recordsOf([
    incoming('INVITE', 0, first),
    returned('407 INVITE', 5, { ...first, toTag: 'proxy' }),
    incoming('INVITE', 20, { cseq: 2 }),
    incoming('INVITE', 21, sentOn),
    ...back({ what: '486 INVITE', atMs: 90, cseq: 2, toTag: 'busy' }, OUT),
  ]);
  expect(records.map(({ disposition }) => disposition)).toEqual(['busy']);
});

test('passes over a re-INVITE, whole or with its request lost', () => {
  const dialog = { cseq: 2, toTag: 'callee', via: ['z9hG4bKre'] };
  const [request, response] = [incoming('INVITE', 5_000, dialog), returned('200 INVITE', 5_010, dialog)];
  expect(recordsOf([...answeredCall(), request, response])).toHaveLength(1);
  expect(recordsOf([...answeredCall(), response])).toHaveLength(1);
});

const PASSPORT = [
  Buffer.from('{"alg":"ES256","ppt":"shaken","typ":"passport","x5u":"https://certs.example/1.pem"}').toString(
    'base64url',
  ),
  Buffer.from(
    '{"attest":"B","dest":{"tn":["12025550123"]},"iat":1795615199,"orig":{"tn":"12025550101"},"origid":"6bd6d1b1-1d52-4b39-9f56-0d0c7a1b2c3d"}',
  ).toString('base64url'),
  Buffer.alloc(64, 7).toString('base64url'),
].join('.');
const IDENTITY = `Identity: ${PASSPORT};info=<https://certs.example/1.pem>;alg=ES256;ppt=shaken`;

test('copies what a PASSporT that came in claims, and gives it no verdict', () => {
  const [record] = recordsOf([
    ...through({ what: 'INVITE', atMs: 0, headers: [IDENTITY] }, OUT),
    ...back({ what: '486 INVITE', atMs: 90, toTag: 'busy' }, OUT),
  ]);
  expect(record?.received).toEqual({
    attestation: 'B',
    origId: '6bd6d1b1-1d52-4b39-9f56-0d0c7a1b2c3d',
    iatSeconds: 1_795_615_199,
  });
  expect(record?.signed).toBeUndefined();
});

test('leaves a verstat aside that a peer claims, and takes the one that the switch wrote', () => {
  const claimed = 'P-Asserted-Identity: <tel:+12025550101;verstat=TN-Validation-Passed>';
  const own = 'P-Asserted-Identity: <tel:+12025550101;verstat=No-TN-Validation>';
  const [request, outgoing] = through({ what: 'INVITE', atMs: 0 }, OUT) as [CapturedMessage, CapturedMessage];
  const end = back({ what: '486 INVITE', atMs: 90, toTag: 'busy' }, OUT);
  const [peers] = recordsOf([{ ...request, headers: [claimed] }, outgoing, ...end]);
  expect(peers?.received).toBeUndefined();
  const [ours] = recordsOf([{ ...request, headers: [claimed] }, { ...outgoing, headers: [own] }, ...end]);
  expect(ours?.received).toEqual({ verstat: 'No-TN-Validation' });
});

test('takes a PASSporT that goes out, and had not come in, for the signature of the switch', () => {
  const [request, outgoing] = through({ what: 'INVITE', atMs: 0 }, OUT) as [CapturedMessage, CapturedMessage];
  const end = back({ what: '486 INVITE', atMs: 90, toTag: 'busy' }, OUT);
  const [record] = recordsOf([request, { ...outgoing, headers: [IDENTITY] }, ...end]);
  expect(record?.signed).toEqual({ attestation: 'B', origId: '6bd6d1b1-1d52-4b39-9f56-0d0c7a1b2c3d' });
  expect(record?.received).toBeUndefined();
});

test('keeps the asserted number where it is another one, and the number that the call was sent on to', () => {
  const [request, outgoing] = through({ what: 'INVITE', atMs: 0 }, OUT) as [CapturedMessage, CapturedMessage];
  const [record] = recordsOf([
    {
      ...request,
      requestUri: 'sip:+18005550199@198.51.100.1',
      headers: ['P-Asserted-Identity: "X" <sip:+12125550188@192.0.2.10>'],
    },
    { ...outgoing, requestUri: 'sip:+12025550123;npdi;rn=+12025550190@203.0.113.20' },
    ...back({ what: '486 INVITE', atMs: 90, toTag: 'busy' }, OUT),
  ]);
  expect(record?.asserted?.tn).toBe('12125550188');
  expect(record?.called).toMatchObject({ tn: '18005550199', translatedTn: '12025550123', lrn: '12025550190' });
});

test('gives a record out when its call has been over for the linger, and takes later repeats for what they are', () => {
  const reader = createHepReader(SOURCE, { lingerUs: 5_000_000 });
  for (const message of answeredCall())
    expect(reader.readPacket(captured(message), CALL_US)).toEqual([{ status: 'waiting' }]);
  const other = (atMs: number): Buffer =>
    captured(incoming('INVITE', atMs, { via: ['z9hG4bKother'], callId: 'other' }));
  expect(reader.readPacket(other(14_000), CALL_US + 5_000_000)).toHaveLength(1);
  const [own, record] = reader.readPacket(other(15_001), CALL_US + 5_000_001);
  expect([own?.status, record?.status]).toEqual(['waiting', 'record']);
  const repeat = answeredCall().at(-1);
  expect(reader.readPacket(captured(repeat as CapturedMessage), CALL_US + 6_000_000)).toEqual([
    { status: 'skipped', why: 'repeated' },
  ]);
  expect(reader.waiting()).toBe(1);
  expect(reader.finished(Number.POSITIVE_INFINITY)).toEqual([]);
});

test('takes a later INVITE of the same Call-ID for another try', () => {
  const reader = createHepReader(SOURCE);
  const attempt = (branch: string, atMs: number): readonly Buffer[] =>
    [
      incoming('INVITE', atMs, { via: [branch] }),
      returned('503 INVITE', atMs + 5, { via: [branch], toTag: branch }),
    ].map(captured);
  for (const packet of attempt('z9hG4bKa', 0)) reader.readPacket(packet, CALL_US);
  expect(reader.finished(CALL_US + 60_000_000)).toHaveLength(1);
  for (const packet of attempt('z9hG4bKb', 20_000)) reader.readPacket(packet, CALL_US);
  expect(reader.finished(CALL_US + 90_000_000)).toHaveLength(1);
});

test('gives up the oldest call where there are more than it follows', () => {
  const reader = createHepReader(SOURCE, { maxCalls: 3 });
  const invite = (index: number): Buffer =>
    captured(incoming('INVITE', index, { via: [`z9hG4bK${index}`], callId: `c${index}` }));
  const given = Array.from({ length: 10 }, (_, index) => reader.readPacket(invite(index), CALL_US)).flat();
  expect(given.filter(({ status }) => status === 'record')).toHaveLength(7);
  expect(reader.waiting()).toBe(3);
});

test('expires calls that began before a time, and says of those without an INVITE what is missing', () => {
  const reader = createHepReader(SOURCE);
  for (const message of answeredCall().slice(0, 6)) reader.readPacket(captured(message), CALL_US);
  const bye = incoming('BYE', 60_000, { via: ['z9hG4bKx'], callId: 'old', toTag: 't' });
  reader.readPacket(captured(bye), CALL_US + 60_000_000);
  expect(reader.expire(CALL_US)).toEqual([]);
  const [record, ...none] = reader.expire(CALL_US + 1_000_000);
  expect([record?.status, none]).toEqual(['record', []]);
  expect(record).toMatchObject({ record: { disposition: 'answered' } });
  expect(reader.expire(Number.POSITIVE_INFINITY)).toMatchObject([
    { status: 'rejected', reason: 'missing-field', field: 'INVITE' },
  ]);
});

test('passes over what is no call, and messages in which the switch had no part', () => {
  const reader = createHepReader(SOURCE);
  const packet = { source: ENDS.upstream, destination: ENDS.switchIn, atUs: CALL_US, payload: 'RTCP' };
  for (const bytes of [
    hepPacket({ ...packet, payloadType: 5 }),
    hepPacket({ ...packet, payload: '\r\n\r\n' }),
    captured(incoming('OPTIONS', 0)),
    captured(incoming('INVITE', 0, { from: ENDS.first, to: ENDS.second })),
  ])
    expect(reader.readPacket(bytes, CALL_US)).toEqual([{ status: 'skipped', why: 'not-a-call' }]);
});

test('refuses packets without the key that is declared', () => {
  const reader = createHepReader(SOURCE, { key: 'agent-key' });
  const packet = { source: ENDS.upstream, destination: ENDS.switchIn, atUs: CALL_US, payload: '\r\n' };
  const status = (key?: string): string | undefined =>
    reader.readPacket(hepPacket({ ...packet, ...(key === undefined ? {} : { key }) }), CALL_US)[0]?.status;
  expect([status(), status('other'), status('agent-key')]).toEqual(['rejected', 'rejected', 'skipped']);
});

test.each([
  ['Call-ID: a', 'Call-ID'],
  ['CSeq: 1 INVITE', 'CSeq'],
  ['From: <sip:a@x>;tag=1', 'From'],
  ['INVITE sip:1@x SIP/2.0', 'request-bad-start-line'],
])('rejects SIP without %j, and names the header', (line, field) => {
  const sip = `INVITE sip:1@x SIP/2.0\r\nCall-ID: a\r\nCSeq: 1 INVITE\r\nFrom: <sip:a@x>;tag=1\r\nTo: <sip:b@x>\r\n\r\n`;
  const payload = sip.replace(line, field === 'request-bad-start-line' ? 'INVITE' : 'X: y');
  const packet = hepPacket({ source: ENDS.upstream, destination: ENDS.switchIn, atUs: CALL_US, payload });
  expect(createHepReader(SOURCE).readPacket(packet, CALL_US)).toMatchObject([{ reason: 'bad-packet', field }]);
});

test('requires the addresses of the switch', () => {
  for (const ownAddresses of [[], ['198.51.100.1:5060']])
    expect(() => createHepReader({ ...SOURCE, ownAddresses })).toThrow(
      expect.objectContaining({ code: 'invalid-configuration' }),
    );
  expect(createHepReader({ ...SOURCE, ownAddresses: ['2001:DB8:0::1'] }).waiting()).toBe(0);
});
