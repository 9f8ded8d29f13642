import { expect, test } from 'vitest';
import {
  afterAttempt,
  guardAddress,
  isPublicAddress,
  WEBHOOK_WAITS_MS,
} from '../../harness/src/platform/events/post-webhook.js';

test.each([
  ['8.8.8.8', true],
  ['100.64.0.1', false],
  ['127.0.0.1', false],
  ['169.254.169.254', false],
  ['172.31.255.255', false],
  ['172.32.0.1', true],
  ['0.0.0.0', false],
  ['255.255.255.255', false],
  ['2606:4700::1', true],
  ['::1', false],
  ['::ffff:8.8.8.8', false],
  ['64:ff9b::a00:1', false],
  ['2002:a00:1::1', false],
  ['2001:db8::1', false],
  ['fc00::1', false],
  ['fe80::1', false],
  ['nothing', false],
])('%s is on the open Internet: %s', (address, isPublic) => {
  expect(isPublicAddress(address)).toBe(isPublic);
});

const allowed = { status: 'allowed', address: '8.8.8.8', family: 4 };

test.each([
  ['a name with one private address among public ones', 'https://r.example/', ['8.8.8.8', '10.0.0.1'], 'not-public'],
  ['a name with a public address, which is pinned', 'https://r.example/', ['8.8.8.8'], allowed],
  ['a name without an address', 'https://r.example/', [], { status: 'unresolved' }],
  ['an address without TLS', 'http://r.example/', ['8.8.8.8'], 'not-https'],
  ['credentials', 'https://user:pass@r.example/', ['8.8.8.8'], 'credentials'],
  ['a decimal address', 'https://2130706433/', [], 'not-public'],
  ['a hexadecimal address', 'https://0x7f.1/', [], 'not-public'],
  ['a mapped address', 'https://[::ffff:10.0.0.1]/', [], 'not-public'],
])('judges the address of a webhook: %s', async (_name, url, addresses, outcome) => {
  const resolve = async () => addresses.map((address) => ({ address, family: 4 }));
  const expected = typeof outcome === 'string' ? { status: 'refused', reason: outcome } : outcome;
  expect(await guardAddress(url, { resolve })).toEqual(expected);
});

test('an event is tried ten times over three days; then a live endpoint is failing, and one that waited by itself is given up', () => {
  const away = { status: 'no-answer' } as const;
  expect(WEBHOOK_WAITS_MS.map((_waitMs, index) => afterAttempt(away, index + 1, 'live'))).toEqual(
    WEBHOOK_WAITS_MS.map((waitMs) => ({ step: 'wait', waitMs })),
  );
  expect(afterAttempt(away, 10, 'live')).toEqual({ step: 'disable', reason: 'failing' });
  expect(afterAttempt(away, 10, 'retry')).toEqual({ step: 'give-up' });
});

test('a receiver that asks for more time has it, and 410 is obeyed', () => {
  const after = (httpStatus: number, retryAfterMs?: number) =>
    afterAttempt({ status: 'answered', httpStatus, ...(retryAfterMs !== undefined && { retryAfterMs }) }, 1, 'live');
  expect(after(429, 60_000)).toEqual({ step: 'wait', waitMs: 60_000 });
  expect(after(410)).toEqual({ step: 'disable', reason: 'gone' });
  expect(after(302)).toEqual({ step: 'wait', waitMs: 5_000 });
  expect(after(422)).toEqual({ step: 'set-aside', waitMs: 5_000 });
  expect(afterAttempt({ status: 'unreadable' }, 1, 'live')).toEqual({ step: 'set-aside', waitMs: 5_000 });
  expect(afterAttempt({ status: 'unreadable' }, 10, 'retry')).toEqual({ step: 'give-up' });
});
