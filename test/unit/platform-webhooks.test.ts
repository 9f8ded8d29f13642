import { Webhook, WebhookVerificationError } from 'standardwebhooks';
import { expect, test } from 'vitest';
import { createTestKey } from '../../sdk/src/testing/test-key.js';
import { MAX_WEBHOOK_BYTES, signWebhook, verifyWebhook } from '../../sdk/src/platform/webhooks/verify-webhook.js';
import { WebhookReceiver, type WebhookReceiverOptions } from '../../sdk/src/platform/webhooks/webhook-receiver.js';
import { ManualClock } from '../../sdk/src/testing/manual-clock.js';
import { createdEvent } from '../support/platform-samples.js';

type ToVerify = Parameters<typeof verifyWebhook>[0];

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const NEXT_SECRET = `whsec_${Buffer.alloc(24, 9).toString('base64')}`;
const STRANGE_SECRET = `whsec_${Buffer.alloc(32, 8).toString('base64')}`;
const clock = new ManualClock();
const NOW_SECONDS = clock.nowMs() / 1_000;
const EVENT = createdEvent('1');
const BODY = JSON.stringify(EVENT);

const signed = (changes: Partial<Parameters<typeof signWebhook>[0]> = {}): Record<string, string> => ({
  ...signWebhook({ id: EVENT.id, timestampSeconds: NOW_SECONDS, body: BODY, secrets: [SECRET], ...changes }),
});

const verified = (changes: Partial<ToVerify> = {}) =>
  verifyWebhook({ headers: signed(), body: BODY, secrets: [SECRET], clock, ...changes });

test('verifies what was signed with the same secret, as text, octets and Fetch headers', () => {
  const genuine = { status: 'verified', webhookId: EVENT.id, timestampSeconds: NOW_SECONDS, event: EVENT };
  expect(verified()).toEqual(genuine);
  expect(verified({ body: Buffer.from(BODY), headers: new Headers(signed()) })).toEqual(genuine);
  const upper = Object.fromEntries(Object.entries(signed()).map(([name, value]) => [name.toUpperCase(), [value]]));
  expect(verified({ headers: upper })).toEqual(genuine);
});

test('takes the old and the new secret while one is exchanged for the other', () => {
  const both = signed({ secrets: [NEXT_SECRET, SECRET] });
  expect(both['webhook-signature']?.split(' ')).toHaveLength(2);
  for (const secrets of [[SECRET], [NEXT_SECRET], [STRANGE_SECRET, NEXT_SECRET]])
    expect(verified({ headers: both, secrets }).status).toBe('verified');
  expect(verified({ headers: signed(), secrets: [NEXT_SECRET, SECRET] }).status).toBe('verified');
});

test('verifies Ed25519 with the public key alone, the private one with or without its public half', () => {
  const { privateKeyJwk, publicKeyJwk } = createTestKey('Ed25519');
  const [seed, half] = [privateKeyJwk.d, publicKeyJwk.x].map((text = '') => Buffer.from(text, 'base64url'));
  const open = `whpk_${half?.toString('base64')}`;
  for (const secret of [seed!, Buffer.concat([seed!, half!])]) {
    const headers = signed({ secrets: [`whsk_${secret.toString('base64')}`] });
    expect(headers['webhook-signature']).toMatch(/^v1a,/);
    expect(verified({ headers, secrets: [open] }).status).toBe('verified');
    expect(verified({ headers, secrets: [open], body: `${BODY} ` })).toMatchObject({ reason: 'signature-mismatch' });
    expect(verified({ headers, secrets: [SECRET] })).toMatchObject({ reason: 'signature-version-unknown' });
  }
});

const withFields = (fields: Readonly<Record<string, string | readonly string[] | undefined>>) => ({
  headers: { ...signed(), ...fields },
});
const withSignature = (signature: string | undefined) => withFields({ 'webhook-signature': signature });
const signedBody = (body: string): Partial<ToVerify> => ({ body, headers: signed({ body }) });
const signedAt = (timestampSeconds: number) => ({ headers: signed({ timestampSeconds }) });
const [PAST, FUTURE] = [NOW_SECONDS - 301, NOW_SECONDS + 301];
const nowSeconds = NOW_SECONDS;
const drifted = JSON.stringify({ ...EVENT, data: { request: { ...EVENT.data, hop: 'two' } } });
const mismatch = { reason: 'signature-mismatch' } as const;

const NEGATIVES: readonly (readonly [string, Partial<ToVerify>, object])[] = [
  ['another secret', { secrets: [STRANGE_SECRET] }, mismatch],
  ['another id', withFields({ 'webhook-id': 'other' }), mismatch],
  ['another time', withFields({ 'webhook-timestamp': String(NOW_SECONDS + 1) }), mismatch],
  ['a signature that is cut', withSignature(signed()['webhook-signature']!.slice(0, -8)), mismatch],
  ['no id', withFields({ 'webhook-id': undefined }), { reason: 'field-missing', field: 'webhook-id' }],
  ['no time', withFields({ 'webhook-timestamp': '' }), { reason: 'field-missing', field: 'webhook-timestamp' }],
  ['no signature', withSignature(undefined), { reason: 'field-missing', field: 'webhook-signature' }],
  ['two ids', withFields({ 'webhook-id': ['a', 'b'] }), { reason: 'field-repeated', field: 'webhook-id' }],
  ['two ids in one', withFields({ 'webhook-id': 'a, b' }), { reason: 'field-repeated', field: 'webhook-id' }],
  ['an id with a full stop', withFields({ 'webhook-id': 'a.b' }), { reason: 'id-malformed' }],
  ['an invalid time', withFields({ 'webhook-timestamp': '1e9' }), { reason: 'timestamp-malformed' }],
  ['a time 301 s ago', signedAt(PAST), { reason: 'timestamp-too-old', timestampSeconds: PAST, nowSeconds }],
  ['a time in 301 s', signedAt(FUTURE), { reason: 'timestamp-too-new', timestampSeconds: FUTURE, nowSeconds }],
  ['a signature without its version', withSignature('abcd'), { reason: 'signature-malformed' }],
  ['a version of the future', withSignature('v9,YWJj'), { reason: 'signature-version-unknown' }],
  ['17 signatures', withSignature('v1,YWJj '.repeat(17)), { reason: 'signatures-too-many' }],
  ['a body beyond its bound', { maxBytes: 10 }, { reason: 'body-too-large', sizeBytes: BODY.length, maxBytes: 10 }],
  ['a body that is not JSON', signedBody('<p>hello</p>'), { reason: 'body-not-json' }],
  ['a repeated key', signedBody('{"id":"1","id":"2"}'), { reason: 'body-not-json' }],
  ['another object', signedBody('{"type":"x"}'), { reason: 'event-schema-drift', place: 'specversion' }],
  ['an event without its data', signedBody(drifted), { reason: 'event-schema-drift', place: 'data.request.format' }],
];

test.each(NEGATIVES)('refuses %s', (_name, changes, failure) => {
  expect(verified(changes)).toEqual({ status: 'failed', ...failure });
});

test('refuses octets that are no UTF-8, although they are signed', () => {
  const body = new Uint8Array([0x22, 0xff, 0x22]);
  const headers = signWebhook({ id: 'a', timestampSeconds: NOW_SECONDS, body, secrets: [SECRET] });
  expect(verified({ headers: { ...headers }, body })).toEqual({ status: 'failed', reason: 'body-not-utf8' });
});

test('accepts a time 300 s away, and an event of an unknown kind', () => {
  for (const offset of [-300, 300]) {
    const headers = signed({ timestampSeconds: NOW_SECONDS + offset });
    expect(verified({ headers }).status).toBe('verified');
  }
  const body = JSON.stringify({ ...EVENT, type: 'org.hopback.weather.changed.1', data: {} });
  expect(verified(signedBody(body))).toEqual({
    status: 'unknown-type',
    webhookId: EVENT.id,
    timestampSeconds: NOW_SECONDS,
    type: 'org.hopback.weather.changed.1',
  });
});

test.each([
  ['none', []],
  ['a short one', [`whsec_${Buffer.alloc(23).toString('base64')}`]],
  ['a long one', [`whsec_${Buffer.alloc(65).toString('base64')}`]],
  ['one without its prefix', [Buffer.alloc(32).toString('base64')]],
  ['one in base64url', [`whsec_${'_-'.repeat(16)}`]],
  ['17 of them', Array.from({ length: 17 }, () => SECRET)],
])('rejects secrets: %s, without naming them', (_name, secrets) => {
  for (const use of [() => verified({ secrets }), () => new WebhookReceiver({ secrets, consume: () => {} })]) {
    expect(use).toThrow(expect.objectContaining({ code: 'invalid-configuration' }));
    for (const secret of secrets) expect(use).not.toThrow(secret);
  }
});

test('does not sign an id or a time that can be read in two ways', () => {
  for (const changes of [{ id: 'a.1' }, { id: '' }, { id: 'a b' }, { timestampSeconds: 1.5 }, { timestampSeconds: -1 }])
    expect(() => signed(changes)).toThrow();
  expect(() => signed({ secrets: [] })).toThrow();
});

test('standardwebhooks verifies what we sign, several signatures among it', () => {
  const timestampSeconds = Math.floor(Date.now() / 1_000);
  const body = JSON.stringify({ text: 'é\u{1F4DE}' });
  const headers = { ...signWebhook({ id: 'event-1', timestampSeconds, body, secrets: [STRANGE_SECRET, SECRET] }) };
  expect(new Webhook(SECRET).verify(body, headers)).toEqual(JSON.parse(body));
  expect(() => new Webhook(NEXT_SECRET).verify(body, headers)).toThrow(WebhookVerificationError);
  expect(() => new Webhook(SECRET).verify(`${body} `, headers)).toThrow(WebhookVerificationError);
});

test('we verify what standardwebhooks signs, and refuse what it would refuse', () => {
  const at = new Date(clock.nowMs());
  const headers = (secret: string, id = EVENT.id) => ({
    'webhook-id': id,
    'webhook-timestamp': String(NOW_SECONDS),
    'webhook-signature': new Webhook(secret).sign(id, at, BODY),
  });
  expect(verified({ headers: headers(SECRET) }).status).toBe('verified');
  expect(verified({ headers: headers(STRANGE_SECRET) })).toMatchObject({ reason: 'signature-mismatch' });
  const twice = {
    ...headers(SECRET),
    'webhook-signature': `v1,${'A'.repeat(43)}= ${headers(SECRET)['webhook-signature']}`,
  };
  expect(verified({ headers: twice }).status).toBe('verified');
});

/** A consumer that is under way until the test finishes or fails it. */
function held() {
  let [finish, fail]: [() => void, (error: Error) => void] = [() => {}, () => {}];
  let calls = 0;
  const consume = (): Promise<void> => {
    calls += 1;
    return new Promise((resolve, reject) => ([finish, fail] = [resolve, reject]));
  };
  return { consume, calls: () => calls, finish: () => finish(), fail: () => fail(new Error('no')) };
}

function receiving(consume: WebhookReceiverOptions['consume']) {
  const time = new ManualClock();
  const receiver = new WebhookReceiver({ secrets: [SECRET], consume, clock: time });
  const post = (id = EVENT.id, body = BODY) =>
    receiver.receive({ headers: signed({ id, body, timestampSeconds: Math.floor(time.nowMs() / 1_000) }), body });
  return { receiver, post, time };
}

test('asks again for an event that was not consumed, and recognises one that was consumed', async () => {
  const outcomes = [false, true];
  let taken = 0;
  const { post, time } = receiving(() => {
    if (outcomes.shift() === false) throw new Error('the disk is full');
    taken += 1;
  });
  const refused = await post();
  expect(refused).toMatchObject({ status: 503, headers: { 'retry-after': '5' } });
  expect((await post()).status).toBe(204);
  for (let repeat = 0; repeat < 3; repeat += 1) expect((await post()).status).toBe(204);
  expect(taken).toBe(1);
  // Long after, the same id is one that somebody wants to see again.
  time.advance(900_000);
  expect((await post()).status).toBe(204);
  expect(taken).toBe(2);
});

test('consumes one of several simultaneous copies, and answers all alike', async () => {
  const { consume, calls, fail } = held();
  const { post } = receiving(consume);
  const answers = [post(), post(), post()];
  await new Promise(setImmediate);
  fail();
  expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([503, 503, 503]);
  expect(calls()).toBe(1);
});

test('answers 503 when the consumer is too slow, and remembers what it finished late', async () => {
  const { consume, calls, finish } = held();
  const { post, time } = receiving(consume);
  const late = post();
  await new Promise(setImmediate);
  time.advance(10_000);
  expect((await late).status).toBe(503);
  finish();
  await new Promise(setImmediate);
  expect(await post()).toEqual({ status: 204, headers: {}, body: '' });
  expect(calls()).toBe(1);
});

test('answers each failure with its status, acknowledges unknown kinds, and accepts nothing once closed', async () => {
  const seen: string[] = [];
  const { receiver, post } = receiving((event) => void seen.push(event.type));
  expect((await receiver.receive({ headers: {}, body: BODY })).status).toBe(401);
  expect((await receiver.receive({ headers: signed(), body: `${BODY} ` })).status).toBe(401);
  expect((await post('a', 'no JSON')).status).toBe(400);
  expect((await receiver.receive({ headers: signed(), body: Buffer.alloc(MAX_WEBHOOK_BYTES + 1) })).status).toBe(413);
  expect((await post('b', JSON.stringify({ ...EVENT, type: 'org.hopback.new.1', data: {} }))).status).toBe(204);
  expect(seen).toEqual([]);
  await receiver.close();
  expect((await post()).status).toBe(503);
  const { body } = await receiver.receive({ headers: {}, body: '' });
  expect(JSON.parse(body)).toMatchObject({ status: 503, code: 'closing' });
});

test('neither the answer nor closing comes before the event is consumed', async () => {
  const { consume, finish } = held();
  const { receiver, post } = receiving(consume);
  const ended: string[] = [];
  const answer = post().finally(() => ended.push('answer'));
  await new Promise(setImmediate);
  const closing = receiver.close().then(() => ended.push('closed'));
  await new Promise(setImmediate);
  expect(ended).toEqual([]);
  finish();
  await closing;
  expect((await answer).status).toBe(204);
});

test('accepts secrets that change while it runs', async () => {
  let secrets = [STRANGE_SECRET];
  const receiver = new WebhookReceiver({ secrets: () => secrets, consume: () => {}, clock });
  const post = () => receiver.receive({ headers: signed(), body: BODY });
  expect((await post()).status).toBe(401);
  secrets = [STRANGE_SECRET, SECRET];
  expect((await post()).status).toBe(204);
  secrets = [];
  expect((await post()).status).toBe(503);
});
