import { expect, test } from 'vitest';
import { receivedFrom, responseText } from '../support/sip-samples.js';
import { createTransactionLab, NOTHING_LEFT, OUR_ACK, OUR_BRANCH } from '../support/sip-transactions.js';

const HOUR_MS = 3_600_000;
const answer = (status: number, method = 'INVITE', branch = OUR_BRANCH): string =>
  responseText(status, { method, branch });

test.each([
  ['an INVITE goes out at intervals that double', 'INVITE', [0, 500, 1_500, 3_500, 7_500, 15_500, 31_500]],
  [
    'any other request goes out at intervals that double up to T2',
    'OPTIONS',
    [0, 500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500],
  ],
])('without a response %s, until timer B or F', (_claim, method, times) => {
  const { request, clock, sendings, left, retransmissions } = createTransactionLab();
  const { told } = request(method);
  clock.advance(31_999);
  expect(sendings.map(([atMs]) => atMs)).toEqual(times);
  expect(retransmissions()).toBe(times.length - 1);
  expect(told).toEqual([]);
  clock.advance(1);
  expect(told).toEqual(['timeout', 'end']);
  expect(left()).toEqual(NOTHING_LEFT);
  clock.advance(HOUR_MS);
  expect(sendings).toHaveLength(times.length);
});

test.each(['INVITE', 'OPTIONS'])('over a reliable transport %s goes out once, and is waited for as long', (method) => {
  const { request, clock, sendings, left, retransmissions } = createTransactionLab('tcp');
  const { told } = request(method);
  clock.advance(31_999);
  expect(told).toEqual([]);
  clock.advance(1);
  expect(told).toEqual(['timeout', 'end']);
  expect(sendings).toEqual([[0, method]]);
  expect(retransmissions()).toBe(0);
  expect(left()).toEqual(NOTHING_LEFT);
});

test('a provisional response ends the repeats of an INVITE, and phones may ring as long as they like', () => {
  const { request, clock, arrive, sendings, left } = createTransactionLab();
  const { told, transaction } = request('INVITE');
  clock.advance(600);
  arrive(answer(100));
  arrive(answer(180));
  arrive(answer(180));
  expect(told).toEqual(['100', '180', '180']);
  expect(sendings).toHaveLength(2);
  clock.advance(HOUR_MS);
  expect(transaction.state).toBe('proceeding');
  expect(sendings).toHaveLength(2);
  arrive(answer(200));
  clock.advance(32_000);
  expect(told).toEqual(['100', '180', '180', '200', 'end']);
  expect(left()).toEqual(NOTHING_LEFT);
});

test('a call that rings is refused, and its refusal acknowledged', () => {
  const { request, arrive, sendings } = createTransactionLab();
  const { told, transaction } = request('INVITE');
  for (const status of [180, 486]) arrive(answer(status));
  expect([told, transaction.state]).toEqual([['180', '486'], 'completed']);
  expect(sendings.map(([, what]) => what)).toEqual(['INVITE', 'ACK']);
});

test('after a provisional response the repeats of any other request come each T2, and timer F still runs', () => {
  const { request, clock, arrive, sendings, left } = createTransactionLab();
  const { told } = request('OPTIONS');
  clock.advance(600);
  arrive(answer(100, 'OPTIONS'));
  clock.advance(31_399);
  expect(sendings.map(([atMs]) => atMs)).toEqual([
    ...[0, 500, 1_500, 5_500, 9_500, 13_500, 17_500, 21_500, 25_500, 29_500],
  ]);
  expect(told).toEqual(['100']);
  clock.advance(1);
  expect(told).toEqual(['100', 'timeout', 'end']);
  expect(left()).toEqual(NOTHING_LEFT);
});

test.each([300, 401, 486, 503, 603])(
  'a %i to an INVITE is handed up once, and each repeat of it acknowledged',
  (status) => {
    const { request, clock, arrive, sendings, left, flow } = createTransactionLab();
    const { told } = request('INVITE');
    clock.advance(100);
    arrive(answer(status));
    clock.advance(500);
    arrive(answer(status));
    clock.advance(31_000);
    arrive(answer(status));
    for (const late of [180, 200]) arrive(answer(late));
    expect(told).toEqual([String(status)]);
    expect(sendings).toEqual([
      [0, 'INVITE'],
      [100, 'ACK'],
      [600, 'ACK'],
      [31_600, 'ACK'],
    ]);
    expect(flow.sent.slice(1)).toEqual([OUR_ACK, OUR_ACK, OUR_ACK]);
    clock.advance(499);
    expect(told).toEqual([String(status)]);
    clock.advance(1);
    expect(told).toEqual([String(status), 'end']);
    expect(left()).toEqual(NOTHING_LEFT);
  },
);

test.each([
  ['tls', 'INVITE', 486, ['INVITE', 'ACK']],
  ['wss', 'BYE', 200, ['BYE']],
] as const)('over %s %s is over with a %i, after its user has got it', (transport, method, status, sent) => {
  const { request, arrive, sendings, left, told: strays } = createTransactionLab(transport);
  const { told } = request(method);
  arrive(answer(status, method));
  expect(told).toEqual([String(status), 'end']);
  expect(sendings.map(([, what]) => what)).toEqual(sent);
  expect(left()).toEqual(NOTHING_LEFT);
  arrive(answer(status, method));
  expect(strays).toEqual([`stray ${status}`]);
});

test.each(['udp', 'tcp'] as const)(
  'over %s every 2xx to an INVITE is handed up until timer M, and none acknowledged',
  (transport) => {
    const { request, clock, arrive, sendings, left, told: strays } = createTransactionLab(transport);
    const { told } = request('INVITE');
    arrive(answer(200));
    clock.advance(31_999);
    arrive(answer(202));
    arrive(answer(486));
    arrive(answer(180));
    expect(told).toEqual(['200', '202']);
    clock.advance(1);
    expect(told).toEqual(['200', '202', 'end']);
    expect(sendings).toEqual([[0, 'INVITE']]);
    expect(left()).toEqual(NOTHING_LEFT);
    arrive(answer(200));
    expect(strays).toEqual(['stray 200']);
  },
);

test.each([200, 302, 404, 500, 600])(
  'a %i to any other request is handed up once, and its repeats absorbed for T4',
  (status) => {
    const { request, clock, arrive, sendings, left, told: strays } = createTransactionLab();
    const { told } = request('BYE');
    clock.advance(700);
    arrive(answer(status, 'BYE'));
    clock.advance(4_999);
    arrive(answer(status, 'BYE'));
    arrive(answer(100, 'BYE'));
    expect(told).toEqual([String(status)]);
    clock.advance(1);
    expect(told).toEqual([String(status), 'end']);
    expect(sendings.map(([atMs]) => atMs)).toEqual([0, 500]);
    expect(left()).toEqual(NOTHING_LEFT);
    arrive(answer(status, 'BYE'));
    expect(strays).toEqual([`stray ${status}`]);
  },
);

test.each([
  ['an unanswered INVITE ends after 64 times T1', 'INVITE', 640],
  ['an answered BYE ends after T4', 'BYE', 100],
] as const)('%s, also where T1 and T4 are others', (_claim, method, ms) => {
  const { request, clock, arrive, left } = createTransactionLab('udp', { t1Ms: 10, t2Ms: 80, t4Ms: 100 });
  const { told } = request(method);
  if (method === 'BYE') arrive(answer(200, method));
  clock.advance(ms - 1);
  expect(told).not.toContain('end');
  clock.advance(1);
  expect(told).toContain('end');
  expect(left()).toEqual(NOTHING_LEFT);
});

test.each(['INVITE', 'OPTIONS'])('%s that cannot be sent fails, and is not sent again', (method) => {
  const { request, clock, flow, left } = createTransactionLab();
  const { told } = request(method);
  flow.fail();
  expect(told).toEqual(['transport-error', 'end']);
  expect(left()).toEqual(NOTHING_LEFT);
  flow.fail();
  clock.advance(HOUR_MS);
  expect(flow.sent).toHaveLength(1);
  expect(told).toHaveLength(2);
});

test.each(['INVITE', 'OPTIONS'])('%s that cannot be sent again after a provisional response fails', (method) => {
  const { request, arrive, flow, left } = createTransactionLab();
  const { told } = request(method);
  arrive(answer(100, method));
  flow.fail();
  expect(told).toEqual(['100', 'transport-error', 'end']);
  expect(left()).toEqual(NOTHING_LEFT);
});

test('an ACK that cannot be sent ends the transaction: its user gets no second failure', () => {
  const { request, arrive, flow, left } = createTransactionLab();
  const { told } = request('INVITE');
  arrive(answer(486));
  flow.fail();
  expect(told).toEqual(['486', 'end']);
  expect(left()).toEqual(NOTHING_LEFT);
});

test('a transaction that is ended reports nothing and leaves nothing', () => {
  const { request, arrive, clock, sendings, left } = createTransactionLab();
  const { told, transaction } = request('INVITE');
  transaction.end();
  transaction.end();
  expect(told).toEqual(['end']);
  expect(left()).toEqual(NOTHING_LEFT);
  arrive(answer(180));
  clock.advance(HOUR_MS);
  expect(sendings).toHaveLength(1);
});

test('a user that ends the transaction in its callback gets no further response', () => {
  const { layer, flow, left, arrive } = createTransactionLab('tcp');
  const told: string[] = [];
  const transaction = layer.request({
    ...{ branch: OUR_BRANCH, method: 'BYE', flow, text: 'BYE' },
    user: {
      onResponse: () => {
        told.push('response');
        transaction.end();
      },
      onFailure: (why) => told.push(why),
      acknowledgement: () => '',
      onEnd: () => told.push('end'),
    },
  });
  arrive(answer(200, 'BYE'));
  expect(told).toEqual(['response', 'end']);
  expect(left()).toEqual(NOTHING_LEFT);
});

test('a response belongs to the request with its branch and method, and to no other', () => {
  const { request, arrive, told: strays } = createTransactionLab();
  const invite = request('INVITE');
  const cancel = request('CANCEL');
  arrive(answer(200, 'CANCEL'));
  arrive(answer(487, 'INVITE'));
  arrive(answer(200, 'INVITE', 'z9hG4bKother'));
  arrive(answer(200, 'BYE'));
  expect(cancel.told).toEqual(['200']);
  expect(invite.told).toEqual(['487']);
  expect(strays).toEqual(['stray 200', 'stray 200']);
});

test.each([
  ['INVITE', 180, 'proceeding'],
  ['INVITE', 200, 'accepted'],
  ['INVITE', 486, 'completed'],
  ['OPTIONS', 200, 'completed'],
])('%s that is answered with %i while it goes out again is not sent a third time', (method, status, state) => {
  const { layer, flow, clock, timers } = createTransactionLab();
  const sent: string[] = [];
  const atOnce = {
    ...flow,
    // As where nothing but memory lies between: the answer is there before the sending is over.
    send: (text: string) => {
      sent.push(text);
      if (text === 'request' && sent.length === 2) layer.receiveResponse(receivedFrom(answer(status, method)));
    },
  };
  const user = { onResponse: () => undefined, onFailure: () => undefined, acknowledgement: () => 'ack' };
  const transaction = layer.request({ branch: OUR_BRANCH, method, flow: atOnce, text: 'request', user });
  clock.advance(500);
  expect(transaction.state).toBe(state);
  // D, K or M; of one that rings, B, which will find nothing to do.
  expect(timers.pendingTimers()).toBe(1);
  clock.advance(4_000);
  expect(sent.filter((text) => text === 'request')).toHaveLength(2);
});
