import { expect, test } from 'vitest';
import type { CallRecord } from '../../sdk/src/contract/call-record.js';
import { createHepReader, type HepReaderOptions, type HepSource } from '../../sdk/src/records/ingest/hep-reader.js';
import type { RowReading } from '../../sdk/src/records/ingest/record-reader.js';
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

const SOURCE: HepSource = {
  id: 'proxy-1',
  format: 'hep',
  time: { zone: 'utc' },
  ownAddresses: ['198.51.100.1'],
  providers: { '192.0.2.10': 'Up Telecom', '203.0.113.20': 'First Telecom', '203.0.113.30': 'Second Telecom' },
};

const OUT = { branch: 'z9hG4bKout' };
const SECOND = { branch: 'z9hG4bKtwo', behind: ENDS.second };

function readAll(messages: readonly CapturedMessage[], options: HepReaderOptions = {}): readonly RowReading[] {
  const reader = createHepReader(SOURCE, options);
  const readings = messages.flatMap((message) => reader.readPacket(captured(message), CALL_US));
  return [...readings, ...reader.expire(Number.POSITIVE_INFINITY)];
}

function recordsOf(messages: readonly CapturedMessage[], options: HepReaderOptions = {}): readonly CallRecord[] {
  return readAll(messages, options).flatMap((reading) => (reading.status === 'record' ? [reading.record] : []));
}

/** Times in milliseconds behind the start of the calls. */
function ms(atUs: number | undefined): number | undefined {
  return atUs === undefined ? undefined : (atUs - CALL_US) / 1_000;
}

function orders<T>(items: readonly T[]): readonly (readonly T[])[] {
  const halves = [...items.slice(items.length / 2), ...items.slice(0, items.length / 2)];
  return [items, items.toReversed(), halves, items.toSorted(() => 0), items.flatMap((item) => [item, item])];
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

test('makes the same record in whatever order packets come, and however often', () => {
  const ids = orders(answeredCall()).map((messages) => {
    const [record] = recordsOf(messages);
    return [record?.recordId, record?.inviteAtUs, record?.answeredAtUs, record?.endedAtUs, record?.egress.address];
  });
  for (const one of ids) expect(one).toEqual(ids[0]);
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

test('makes one record a branch of a call that rang at two places: one answered, the other cancelled', () => {
  const messages: readonly CapturedMessage[] = [
    ...answeredCall(),
    { what: 'INVITE', atMs: 1, from: ENDS.switchOut, to: ENDS.second, via: [SECOND.branch, 'z9hG4bKin'] },
    {
      what: '180 INVITE',
      atMs: 600,
      from: ENDS.second,
      to: ENDS.switchOut,
      via: [SECOND.branch, 'z9hG4bKin'],
      toTag: 'other',
    },
    { what: 'CANCEL', atMs: 2_001, from: ENDS.switchOut, to: ENDS.second, via: [SECOND.branch] },
    {
      what: '487 INVITE',
      atMs: 2_050,
      from: ENDS.second,
      to: ENDS.switchOut,
      via: [SECOND.branch, 'z9hG4bKin'],
      toTag: 'other',
    },
  ];
  for (const order of orders(messages)) {
    const records = recordsOf(order).toSorted((a, b) => (a.disposition < b.disposition ? -1 : 1));
    expect(records.map(({ disposition, egress }) => [disposition, egress.provider])).toEqual([
      ['answered', 'First Telecom'],
      ['cancelled', 'Second Telecom'],
    ]);
    expect(new Set(records.map(({ callGroupId }) => callGroupId)).size).toBe(1);
    expect(new Set(records.map(({ recordId }) => recordId)).size).toBe(2);
  }
});

test('makes one record a route of a call that was tried at one place after another', () => {
  const messages: readonly CapturedMessage[] = [
    ...through({ what: 'INVITE', atMs: 0 }, OUT),
    {
      what: '503 INVITE',
      atMs: 100,
      from: ENDS.first,
      to: ENDS.switchOut,
      via: [OUT.branch, 'z9hG4bKin'],
      toTag: 'full',
    },
    { what: 'INVITE', atMs: 110, from: ENDS.switchOut, to: ENDS.second, via: [SECOND.branch, 'z9hG4bKin'] },
    ...back({ what: '486 INVITE', atMs: 900, toTag: 'busy' }, SECOND),
  ];
  const records = recordsOf(messages);
  expect(
    records.map(({ disposition, release, egress, inviteAtUs }) => [
      disposition,
      release?.sipStatus,
      egress.provider,
      ms(inviteAtUs),
    ]),
  ).toEqual([
    ['failed', 503, 'First Telecom', 0],
    ['busy', 486, 'Second Telecom', 0],
  ]);
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

test('puts a call that crosses the switch twice with the neighbours that it had each time', () => {
  const messages: readonly CapturedMessage[] = [
    ...through({ what: 'INVITE', atMs: 0 }, OUT),
    { what: 'INVITE', atMs: 40, from: ENDS.first, to: ENDS.switchIn, via: ['z9hG4bKback', OUT.branch, 'z9hG4bKin'] },
    {
      what: 'INVITE',
      atMs: 41,
      from: ENDS.switchOut,
      to: ENDS.second,
      via: [SECOND.branch, 'z9hG4bKback', OUT.branch, 'z9hG4bKin'],
    },
    {
      what: '404 INVITE',
      atMs: 50,
      from: ENDS.second,
      to: ENDS.switchOut,
      via: [SECOND.branch, 'z9hG4bKback', OUT.branch, 'z9hG4bKin'],
      toTag: 'x',
    },
    {
      what: '404 INVITE',
      atMs: 51,
      from: ENDS.switchIn,
      to: ENDS.first,
      via: ['z9hG4bKback', OUT.branch, 'z9hG4bKin'],
      toTag: 'x',
    },
    ...back({ what: '404 INVITE', atMs: 52, toTag: 'x' }, OUT),
  ];
  for (const order of orders(messages)) {
    const hops = recordsOf(order).map(({ ingress, egress }) => `${ingress.provider} > ${egress.provider}`);
    expect(hops.toSorted()).toEqual(['First Telecom > Second Telecom', 'Up Telecom > First Telecom']);
  }
});

test('records a call that the switch itself refused, with no hop behind it', () => {
  const records = recordsOf([
    { what: 'INVITE', atMs: 0, from: ENDS.upstream, to: ENDS.switchIn, via: ['z9hG4bKin'] },
    { what: '608 INVITE', atMs: 5, from: ENDS.switchIn, to: ENDS.upstream, via: ['z9hG4bKin'], toTag: 'proxy' },
    { what: 'ACK', atMs: 9, from: ENDS.upstream, to: ENDS.switchIn, via: ['z9hG4bKin'], toTag: 'proxy' },
  ]);
  expect(records).toHaveLength(1);
  expect(records[0]).toMatchObject({
    disposition: 'blocked',
    egress: {},
    blockedBy: 'analytics engine (608 Rejected)',
    release: { sipStatus: 608 },
  });
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
  const again = { cseq: 2, toTag: undefined };
  const records = recordsOf([
    { what: 'INVITE', atMs: 0, from: ENDS.upstream, to: ENDS.switchIn, via: ['z9hG4bKfirst'] },
    { what: '407 INVITE', atMs: 5, from: ENDS.switchIn, to: ENDS.upstream, via: ['z9hG4bKfirst'], toTag: 'proxy' },
    { what: 'INVITE', atMs: 20, cseq: 2, from: ENDS.upstream, to: ENDS.switchIn, via: ['z9hG4bKin'] },
    {
      what: 'INVITE',
      atMs: 21,
      cseq: again.cseq,
      from: ENDS.switchOut,
      to: ENDS.first,
      via: [OUT.branch, 'z9hG4bKin'],
    },
    ...back({ what: '486 INVITE', atMs: 90, cseq: 2, toTag: 'busy' }, OUT),
  ]);
  expect(records.map(({ disposition }) => disposition)).toEqual(['busy']);
});

test('passes over a re-INVITE, whole or with its request lost', () => {
  const reInvite = (what: string, atMs: number): CapturedMessage => ({
    ...{ what, atMs, cseq: 2, toTag: 'callee' },
    ...(what === 'INVITE' ? { from: ENDS.upstream, to: ENDS.switchIn } : { from: ENDS.switchIn, to: ENDS.upstream }),
    via: ['z9hG4bKre'],
  });
  const call = answeredCall();
  expect(recordsOf([...call, reInvite('INVITE', 5_000), reInvite('200 INVITE', 5_010)])).toHaveLength(1);
  expect(recordsOf([...call, reInvite('200 INVITE', 5_010)])).toHaveLength(1);
});

test('joins the two Call-IDs of a switch that is no proxy into one group by the correlation id', () => {
  const inner = { callId: 'b-leg@198.51.100.1', correlationId: 'call-1@192.0.2.10', fromTag: 'switch' };
  const records = recordsOf([
    { what: 'INVITE', atMs: 0, from: ENDS.upstream, to: ENDS.switchIn, via: ['z9hG4bKin'] },
    { what: 'INVITE', atMs: 4, from: ENDS.switchOut, to: ENDS.first, via: ['z9hG4bKb'], ...inner },
    { what: '486 INVITE', atMs: 80, from: ENDS.first, to: ENDS.switchOut, via: ['z9hG4bKb'], toTag: 'b', ...inner },
    { what: '486 INVITE', atMs: 81, from: ENDS.switchIn, to: ENDS.upstream, via: ['z9hG4bKin'], toTag: 'a' },
  ]);
  expect(records.map(({ callGroupId, ingress, egress }) => [callGroupId, ingress.provider, egress.provider])).toEqual([
    ['call-1@192.0.2.10', 'Up Telecom', undefined],
    ['call-1@192.0.2.10', undefined, 'First Telecom'],
  ]);
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
  const [incoming, outgoing] = through({ what: 'INVITE', atMs: 0 }, OUT) as [CapturedMessage, CapturedMessage];
  const end = back({ what: '486 INVITE', atMs: 90, toTag: 'busy' }, OUT);
  const [peers] = recordsOf([{ ...incoming, headers: [claimed] }, outgoing, ...end]);
  expect(peers?.received).toBeUndefined();
  const [ours] = recordsOf([{ ...incoming, headers: [claimed] }, { ...outgoing, headers: [own] }, ...end]);
  expect(ours?.received).toEqual({ verstat: 'No-TN-Validation' });
});

test('takes a PASSporT that goes out, and had not come in, for the signature of the switch', () => {
  const [incoming, outgoing] = through({ what: 'INVITE', atMs: 0 }, OUT) as [CapturedMessage, CapturedMessage];
  const end = back({ what: '486 INVITE', atMs: 90, toTag: 'busy' }, OUT);
  const [record] = recordsOf([incoming, { ...outgoing, headers: [IDENTITY] }, ...end]);
  expect(record?.signed).toEqual({ attestation: 'B', origId: '6bd6d1b1-1d52-4b39-9f56-0d0c7a1b2c3d' });
  expect(record?.received).toBeUndefined();
});

test('keeps the asserted number where it is another one, and the number that the call was sent on to', () => {
  const [incoming, outgoing] = through({ what: 'INVITE', atMs: 0 }, OUT) as [CapturedMessage, CapturedMessage];
  const [record] = recordsOf([
    {
      ...incoming,
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
    captured({ what: 'INVITE', atMs, from: ENDS.upstream, to: ENDS.switchIn, via: ['z9hG4bKother'], callId: 'other' });
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
      { what: 'INVITE', atMs, from: ENDS.upstream, to: ENDS.switchIn, via: [branch] },
      { what: '503 INVITE', atMs: atMs + 5, from: ENDS.switchIn, to: ENDS.upstream, via: [branch], toTag: branch },
    ].map(captured);
  for (const packet of attempt('z9hG4bKa', 0)) reader.readPacket(packet, CALL_US);
  expect(reader.finished(CALL_US + 60_000_000)).toHaveLength(1);
  for (const packet of attempt('z9hG4bKb', 20_000)) reader.readPacket(packet, CALL_US);
  expect(reader.finished(CALL_US + 90_000_000)).toHaveLength(1);
});

test('gives up the oldest call where there are more than it follows', () => {
  const reader = createHepReader(SOURCE, { maxCalls: 3 });
  const invite = (index: number): Buffer =>
    captured({
      what: 'INVITE',
      atMs: index,
      from: ENDS.upstream,
      to: ENDS.switchIn,
      via: [`z9hG4bK${index}`],
      callId: `c${index}`,
    });
  const given = Array.from({ length: 10 }, (_, index) => reader.readPacket(invite(index), CALL_US)).flat();
  expect(given.filter(({ status }) => status === 'record')).toHaveLength(7);
  expect(reader.waiting()).toBe(3);
});

test('expires calls that began before a time, and says of those without an INVITE what is missing', () => {
  const reader = createHepReader(SOURCE);
  for (const message of answeredCall().slice(0, 6)) reader.readPacket(captured(message), CALL_US);
  reader.readPacket(
    captured({
      what: 'BYE',
      atMs: 60_000,
      from: ENDS.upstream,
      to: ENDS.switchIn,
      via: ['z9hG4bKx'],
      callId: 'old',
      toTag: 't',
    }),
    CALL_US + 60_000_000,
  );
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
  const notACall = [{ status: 'skipped', why: 'not-a-call' }];
  expect(reader.readPacket(hepPacket({ ...packet, payloadType: 5 }), CALL_US)).toEqual(notACall);
  expect(reader.readPacket(hepPacket({ ...packet, payload: '\r\n\r\n' }), CALL_US)).toEqual(notACall);
  expect(
    reader.readPacket(
      captured({ what: 'OPTIONS', atMs: 0, from: ENDS.upstream, to: ENDS.switchIn, via: ['z'] }),
      CALL_US,
    ),
  ).toEqual(notACall);
  expect(
    reader.readPacket(captured({ what: 'INVITE', atMs: 0, from: ENDS.first, to: ENDS.second, via: ['z'] }), CALL_US),
  ).toEqual(notACall);
});

test('refuses packets without the key that is declared', () => {
  const reader = createHepReader(SOURCE, { key: 'agent-key' });
  const packet = { source: ENDS.upstream, destination: ENDS.switchIn, atUs: CALL_US, payload: '\r\n' };
  const status = (key?: string): string | undefined =>
    reader.readPacket(hepPacket({ ...packet, ...(key === undefined ? {} : { key }) }), CALL_US)[0]?.status;
  expect([status(), status('other'), status('agent-key')]).toEqual(['rejected', 'rejected', 'skipped']);
});

test('says of SIP that it cannot read in which header it stopped', () => {
  const reader = createHepReader(SOURCE);
  const broken = (payload: string): RowReading | undefined =>
    reader.readPacket(
      hepPacket({ source: ENDS.upstream, destination: ENDS.switchIn, atUs: CALL_US, payload }),
      CALL_US,
    )[0];
  const invite = (line: string): string =>
    `INVITE sip:1@x SIP/2.0\r\nCall-ID: a\r\nCSeq: 1 INVITE\r\nFrom: <sip:a@x>;tag=1\r\nTo: <sip:b@x>\r\n\r\n`.replace(
      line,
      'X: y',
    );
  expect(broken(invite('Call-ID: a'))).toMatchObject({ reason: 'bad-packet', field: 'Call-ID' });
  expect(broken(invite('CSeq: 1 INVITE'))).toMatchObject({ reason: 'bad-packet', field: 'CSeq' });
  expect(broken(invite('From: <sip:a@x>;tag=1'))).toMatchObject({ reason: 'bad-packet', field: 'From' });
  expect(broken('INVITE')).toMatchObject({ reason: 'bad-packet', field: 'request-bad-start-line' });
});

test('wants the addresses of the switch', () => {
  const codeOf = (ownAddresses: readonly string[]): unknown => {
    try {
      return createHepReader({ ...SOURCE, ownAddresses }).waiting();
    } catch (error) {
      return (error as { code: string }).code;
    }
  };
  expect([codeOf([]), codeOf(['198.51.100.1:5060']), codeOf(['2001:DB8:0::1'])]).toEqual([
    'invalid-configuration',
    'invalid-configuration',
    0,
  ]);
});

test('knows the switch by an address of IPv6 however it is written', () => {
  const reader = createHepReader({
    ...SOURCE,
    ownAddresses: ['2001:DB8:0:0::1'],
    providers: { '2001:db8::10': 'Six Telecom' },
  });
  const six = { address: '2001:db8::10', port: 5060 };
  const own = { address: '2001:db8::1', port: 5060 };
  reader.readPacket(captured({ what: 'INVITE', atMs: 0, from: six, to: own, via: ['z9hG4bKin'] }), CALL_US);
  const [reading] = reader.expire(Number.POSITIVE_INFINITY);
  expect(reading).toMatchObject({ record: { ingress: { address: '[2001:db8::10]:5060', provider: 'Six Telecom' } } });
});
