import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { signWebhook, verifyWebhook } from '../../sdk/src/platform/webhooks/verify-webhook.js';
import { createdEvent } from '../support/platform-samples.js';
import { forAll } from '../support/for-all.js';

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const clock = { nowMs: () => 1_793_620_800_000 };
const NOW_SECONDS = clock.nowMs() / 1_000;
const BODY = Buffer.from(JSON.stringify(createdEvent('1')));
const FIELDS = { ...signWebhook({ id: 'created-1', timestampSeconds: NOW_SECONDS, body: BODY, secrets: [SECRET] }) };

const value = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.array(fc.string(), { maxLength: 3 }),
  fc.constant(undefined),
);

test('returns for any fields and octets', () => {
  const anyFields = fc.record(
    {
      'webhook-id': value,
      'webhook-timestamp': fc.oneof(value, fc.constant(String(NOW_SECONDS))),
      'webhook-signature': value,
    },
    { requiredKeys: [] },
  );
  forAll([anyFields, fc.uint8Array({ maxLength: 200 })], 1_000, (headers, body) => {
    expect(verifyWebhook({ headers, body, secrets: [SECRET], clock }).status).toBe('failed');
  });
});

test('returns for any signed octets, verified only where they are an event', () => {
  const anyBody = fc.oneof(
    fc.uint8Array({ maxLength: 100 }),
    fc.json().map((text) => Buffer.from(text)),
  );
  forAll([anyBody], 1_000, (body) => {
    const headers = { ...signWebhook({ id: 'a', timestampSeconds: NOW_SECONDS, body, secrets: [SECRET] }) };
    expect(verifyWebhook({ headers, body, secrets: [SECRET], clock })).toMatchObject({ status: 'failed' });
  });
});

test('believes no body in which one bit is another', () => {
  forAll([fc.nat({ max: BODY.length - 1 }), fc.nat({ max: 7 })], 1_000, (at, bit) => {
    const body = Buffer.from(BODY);
    body[at] = body[at]! ^ (1 << bit);
    expect(verifyWebhook({ headers: FIELDS, body, secrets: [SECRET], clock })).toEqual({
      status: 'failed',
      reason: 'signature-mismatch',
    });
  });
});
