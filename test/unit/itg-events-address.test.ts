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

test('a name with one private address among public ones is refused, and one that leads outside is pinned', async () => {
  const named = (...addresses: string[]) => ({
    resolve: async () => addresses.map((address) => ({ address, family: 4 })),
  });
  expect(await guardAddress('https://r.example/', named('8.8.8.8', '10.0.0.1'))).toEqual({
    status: 'refused',
    reason: 'not-public',
  });
  expect(await guardAddress('https://r.example/', named('8.8.8.8'))).toEqual({
    status: 'allowed',
    address: '8.8.8.8',
    family: 4,
  });
  expect(await guardAddress('https://r.example/', named())).toEqual({ status: 'unresolved' });
  expect(await guardAddress('http://r.example/', named('8.8.8.8'))).toEqual({ status: 'refused', reason: 'not-https' });
  expect(await guardAddress('https://2130706433/')).toEqual({ status: 'refused', reason: 'not-public' });
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
  expect(afterAttempt({ status: 'answered', httpStatus: 429, retryAfterMs: 60_000 }, 1, 'live')).toEqual({
    step: 'wait',
    waitMs: 60_000,
  });
  expect(afterAttempt({ status: 'answered', httpStatus: 410 }, 1, 'retry')).toEqual({
    step: 'disable',
    reason: 'gone',
  });
  expect(afterAttempt({ status: 'answered', httpStatus: 302 }, 1, 'live')).toEqual({ step: 'wait', waitMs: 5_000 });
  for (const outcome of [{ status: 'answered', httpStatus: 422 }, { status: 'unreadable' }] as const)
    expect(afterAttempt(outcome, 1, 'live')).toEqual({ step: 'set-aside', waitMs: 5_000 });
  expect(afterAttempt({ status: 'unreadable' }, 10, 'retry')).toEqual({ step: 'give-up' });
});
