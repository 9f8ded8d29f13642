import { expect, test } from 'vitest';
import type { ServerTransaction } from '../../harness/src/drachtio/transaction/transaction-layer.js';
import type { TransportName } from '../../harness/src/drachtio/transport/flow.js';
import { requestText, responseText } from '../support/sip-samples.js';
import { createTransactionLab, NOTHING_LEFT, type TransactionLab } from '../support/sip-transactions.js';

const HOUR_MS = 3_600_000;
const invite = requestText('INVITE');
const ack = requestText('ACK', { to: '<sip:bob@example.com>;tag=b1' });

interface Opened extends TransactionLab {
  readonly transaction: ServerTransaction;
  /** Answers; whether the transaction took it. */
  readonly respond: (status: number) => boolean;
  /** What the user of the transaction was told. */
  readonly heard: string[];
}

function opened(text: string, transport: TransportName = 'udp'): Opened {
  const lab = createTransactionLab(transport);
  lab.arrive(text);
  const [transaction] = lab.servers;
  if (transaction === undefined) throw new Error('there is no transaction');
  const heard: string[] = [];
  transaction.user = { onFailure: (_transaction, why) => heard.push(why), onEnd: () => heard.push('end') };
  return { ...lab, transaction, heard, respond: (status) => transaction.respond(status, responseText(status)) };
}

test('a request is handed up once; before there is an answer its repeats are absorbed', () => {
  for (const method of ['INVITE', 'OPTIONS']) {
    const { arrive, told, sendings } = opened(requestText(method));
    arrive(requestText(method));
    arrive(requestText(method));
    expect(told).toEqual([`request ${method}`]);
    expect(sendings).toEqual([]);
  }
});

test('a repeat gets the last answer again, provisional or final', () => {
  for (const method of ['INVITE', 'OPTIONS']) {
    const { arrive, respond, flow, transaction, retransmissions } = opened(requestText(method));
    for (const status of [100, 183, 500]) {
      expect([transaction.isAnswered, respond(status)]).toEqual([false, true]);
      arrive(requestText(method));
    }
    expect(transaction.isAnswered).toBe(true);
    const texts = [100, 183, 500].map((status) => responseText(status));
    expect(flow.sent).toEqual(texts.flatMap((text) => [text, text]));
    expect(retransmissions()).toBe(3);
  }
});

test.each([
  ['udp', [0, 500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]],
  ['tcp', [0]],
] as const)('over %s a failed INVITE is answered at %j ms, until timer H', (transport, times) => {
  const { clock, respond, sendings, heard, left } = opened(invite, transport);
  respond(486);
  clock.advance(31_999);
  expect(sendings).toEqual(times.map((atMs) => [atMs, '486']));
  expect(heard).toEqual([]);
  clock.advance(1);
  expect(heard).toEqual(['timeout', 'end']);
  expect(left()).toEqual(NOTHING_LEFT);
});

test('the repeats of a failed INVITE do not disturb the timers of its answer', () => {
  const { clock, respond, arrive, sendings, heard } = opened(invite);
  respond(486);
  clock.advance(700);
  arrive(invite);
  clock.advance(800);
  expect(sendings.map(([atMs]) => atMs)).toEqual([0, 500, 700, 1_500]);
  clock.advance(30_500);
  expect(heard).toEqual(['timeout', 'end']);
});

test('an ACK ends the answering; its repeats, and those of the INVITE, are absorbed for T4', () => {
  const { clock, respond, arrive, sendings, heard, told, left, transaction } = opened(invite);
  respond(486);
  clock.advance(600);
  arrive(ack);
  expect(transaction.state).toBe('confirmed');
  clock.advance(4_999);
  arrive(ack);
  arrive(invite);
  expect(sendings).toHaveLength(2);
  expect(told).toEqual(['request INVITE']);
  expect(heard).toEqual([]);
  clock.advance(1);
  expect(heard).toEqual(['end']);
  expect(left()).toEqual(NOTHING_LEFT);
});

test('over a reliable transport a failed INVITE is over with its ACK, and any other request with its answer', () => {
  for (const method of ['INVITE', 'OPTIONS']) {
    const { respond, arrive, heard, told, sendings, left } = opened(requestText(method), 'tls');
    expect(respond(486)).toBe(true);
    if (method === 'INVITE') arrive(ack);
    expect([heard, told]).toEqual([['end'], [`request ${method}`]]);
    expect(sendings).toEqual([[0, '486']]);
    expect(left()).toEqual(NOTHING_LEFT);
  }
});

test.each(['udp', 'tcp'] as const)(
  'over %s a 2xx is sent once; INVITEs are absorbed and ACKs handed up until timer L',
  (transport) => {
    const { clock, respond, arrive, sendings, heard, told, left } = opened(invite, transport);
    expect(respond(200)).toBe(true);
    clock.advance(10_000);
    arrive(invite);
    arrive(ack);
    clock.advance(21_999);
    arrive(invite);
    arrive(ack);
    expect(told).toEqual(['request INVITE', 'ack', 'ack']);
    expect(sendings).toEqual([[0, '200']]);
    expect(heard).toEqual([]);
    clock.advance(1);
    expect(heard).toEqual(['end']);
    expect(left()).toEqual(NOTHING_LEFT);
  },
);

test('after a final answer no other is taken, but a 2xx to an INVITE is sent again', () => {
  const accepted = opened(invite);
  expect([accepted.respond(200), accepted.respond(200)]).toEqual([true, true]);
  expect([100, 486, 603].map(accepted.respond)).toEqual([false, false, false]);
  const failed = opened(invite);
  failed.respond(486);
  expect([180, 200, 486].map(failed.respond)).toEqual([false, false, false]);
  expect([accepted, failed].map(({ transaction }) => transaction.state)).toEqual(['accepted', 'completed']);
  failed.arrive(ack);
  expect([180, 200, 486].map(failed.respond)).toEqual([false, false, false]);
  const answered = opened(requestText('OPTIONS'));
  answered.respond(200);
  expect([100, 200, 486].map(answered.respond)).toEqual([false, false, false]);
  for (const { sendings } of [failed, answered]) expect(sendings).toHaveLength(1);
  expect(accepted.sendings).toHaveLength(2);
});

test('the answer to any other request is sent again for each repeat, until timer J', () => {
  const { clock, respond, arrive, sendings, heard, left } = opened(requestText('OPTIONS'));
  respond(200);
  clock.advance(31_999);
  arrive(requestText('OPTIONS'));
  expect(sendings).toEqual([
    [0, '200'],
    [31_999, '200'],
  ]);
  expect(heard).toEqual([]);
  clock.advance(1);
  expect(heard).toEqual(['end']);
  expect(left()).toEqual(NOTHING_LEFT);
});

test('a request that is never answered waits without a timer', () => {
  for (const method of ['INVITE', 'OPTIONS']) {
    const { clock, left, transaction } = opened(requestText(method));
    clock.advance(HOUR_MS);
    expect(left()).toEqual({ server: 1, client: 0, timers: 0 });
    transaction.end();
    expect(left()).toEqual(NOTHING_LEFT);
  }
});

test('a provisional answer that cannot be sent ends the transaction, since nobody will end it after', () => {
  for (const method of ['INVITE', 'OPTIONS']) {
    const { respond, flow, heard, left } = opened(requestText(method));
    respond(100);
    flow.fail();
    expect(heard).toEqual(['transport-error', 'end']);
    expect(left()).toEqual(NOTHING_LEFT);
    expect(respond(200)).toBe(false);
  }
});

test.each([
  ['INVITE', 200],
  ['INVITE', 486],
  ['OPTIONS', 200],
])('%s whose %i cannot be sent still does not look new when it comes again', (method, status) => {
  const { respond, flow, heard, told, arrive, clock, left } = opened(requestText(method));
  respond(status);
  flow.fail();
  expect(heard).toEqual(['transport-error']);
  arrive(requestText(method));
  expect(told).toEqual([`request ${method}`]);
  clock.advance(32_000);
  expect(heard.at(-1)).toBe('end');
  expect(left()).toEqual(NOTHING_LEFT);
});

test('a transaction that is ended reports, sends and leaves nothing', () => {
  const { respond, transaction, clock, heard, sendings, left } = opened(invite);
  respond(486);
  transaction.end();
  transaction.end();
  expect(heard).toEqual(['end']);
  clock.advance(HOUR_MS);
  expect(respond(200)).toBe(false);
  expect(sendings).toHaveLength(1);
  expect(left()).toEqual(NOTHING_LEFT);
});
