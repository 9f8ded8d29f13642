import { beforeAll, expect, test } from 'vitest';
import { createManualClock, createPassport, TEST_DEST_TN, TEST_ORIG_TN } from '@hopback/sdk/testing';
import { createReplayMemory } from '../../sdk/src/stir/verification/memory.js';
import { createVerificationLab } from '../support/verification-lab.js';
import type { VerificationLab } from '../support/verification-lab.js';

const DAY_SECONDS = 86_400;
let lab: VerificationLab;

beforeAll(async () => {
  lab = await createVerificationLab();
});

const parties = {
  from: `<sip:+${TEST_ORIG_TN}@originating.example>;tag=1`,
  to: `<sip:+${TEST_DEST_TN}@terminating.example>`,
  requestUri: `sip:+${TEST_DEST_TN}@terminating.example`,
};

function shakenFrom(iatSeconds: number): string {
  return createPassport({ signer: lab.provider, x5u: lab.x5u, iatSeconds }).identityHeader;
}

function div(divTn: string, alterSignature?: (signature: Uint8Array) => Uint8Array): string {
  const iatSeconds = Math.floor(lab.clock.nowMs() / 1000);
  const options = { signer: lab.provider, x5u: lab.x5u, ppt: 'div', iatSeconds, divTn };
  return createPassport(alterSignature === undefined ? options : { ...options, alterSignature }).identityHeader;
}

const now = (): number => Math.floor(lab.clock.nowMs() / 1000);

test('a PASSporT of last year does not pass by standing below a forged div', async () => {
  const old = shakenFrom(now() - 300 * DAY_SECONDS);
  const forged = div(TEST_DEST_TN, (signature) => signature.fill(1));
  const verdict = await lab.serviceWith({}).verify({ ...parties, identity: [old, forged] });
  expect(verdict.status).toBe('failed');
  expect(verdict.reasons).toContain('iat-stale');
});

test('a PASSporT some minutes old does not pass below a div that proves bad, dest being the target', async () => {
  const old = shakenFrom(now() - 300);
  const forged = div('12025550150', (signature) => signature.fill(1));
  const verdict = await lab.serviceWith({}).verify({ ...parties, identity: [old, forged] });
  expect(verdict).toMatchObject({ status: 'failed' });
});

test('a div from a number to itself lends no new date', async () => {
  const old = shakenFrom(now() - 300);
  const verdict = await lab.serviceWith({}).verify({ ...parties, identity: [old, div(TEST_DEST_TN)] });
  expect(verdict).toMatchObject({ status: 'failed' });
  expect(verdict.reasons).toContain('iat-stale');
});

test('numbers that divert to each other in a circle lend no new date', async () => {
  const other = '12025550150';
  const between = (divTn: string, destTn: string, age: number): string =>
    createPassport({ signer: lab.provider, x5u: lab.x5u, ppt: 'div', iatSeconds: now() - age, divTn, destTn })
      .identityHeader;
  const circle = [shakenFrom(now() - 300), between(TEST_DEST_TN, other, 300), between(other, TEST_DEST_TN, 0)];
  const verdict = await lab.serviceWith({}).verify({ ...parties, identity: circle });
  expect(verdict).toMatchObject({ status: 'failed' });
  expect(verdict.reasons).toContain('iat-stale');
});

test('a PASSporT that ten minutes of forwarding still excuse is remembered for as long', async () => {
  const clock = createManualClock(lab.clock.nowMs());
  const start = Math.floor(clock.nowMs() / 1000);
  const service = lab.serviceWith({ policy: { rejectReplay: true }, clock });
  const token = shakenFrom(start);
  expect((await service.verify({ ...parties, identity: [token] })).status).toBe('passed');
  for (const seconds of [130, 260]) {
    clock.advance(seconds * 1000 - (clock.nowMs() - start * 1000));
    const other = createPassport({ signer: lab.provider, x5u: lab.x5u, iatSeconds: start + seconds }).identityHeader;
    expect((await service.verify({ ...parties, identity: [other] })).status).toBe('passed');
  }
  clock.advance(130_000);
  const diverted = { ...parties, requestUri: 'sip:+12025550150@terminating.example' };
  const fresh = { signer: lab.provider, x5u: lab.x5u, ppt: 'div', divTn: TEST_DEST_TN, destTn: '12025550150' } as const;
  const divNow = createPassport({ ...fresh, iatSeconds: Math.floor(clock.nowMs() / 1000) }).identityHeader;
  const again = await service.verify({ ...diverted, identity: [token, divNow] });
  expect(again).toMatchObject({ status: 'failed' });
  expect(again.reasons).toContain('replayed');
});

test('a repeat that policy refuses is refused also when the header stands twice', async () => {
  const service = lab.serviceWith({ policy: { rejectReplay: true } });
  const header = shakenFrom(now());
  expect((await service.verify({ ...parties, identity: [header, header] })).status).toBe('passed');
  const again = await service.verify({ ...parties, identity: [header, header] });
  expect(again).toMatchObject({ status: 'failed' });
  expect(again.reasons).toContain('replayed');
});

test('a replay memory keeps its count when calls end out of order around a turn of generations', () => {
  const memory = createReplayMemory({ windowMs: 120_000 });
  memory.observe('K', 1_000_000);
  memory.observe('a', 1_120_001);
  memory.observe('b', 1_120_000);
  expect(memory.observe('K', 1_120_002)).toEqual({ count: 2, firstSeenMs: 1_000_000 });
});

test('a replay memory that throws leaves the verdict alone', async () => {
  const replayMemory = {
    observe: () => {
      throw new Error('store down');
    },
    size: () => 0,
  };
  const verdict = await lab.serviceWith({ replayMemory }).verify({ ...parties, identity: [shakenFrom(now())] });
  expect(verdict.status).toBe('passed');
});

test('canonical numbers that are given are not dialled again', async () => {
  const header = createPassport({ signer: lab.provider, x5u: lab.x5u, origTn: '14930123456' }).identityHeader;
  const request = { identity: [header], dest: [{ kind: 'tn' as const, value: TEST_DEST_TN }] };
  const other = await lab.serviceWith({}).verify({ ...request, orig: { kind: 'tn', value: '4930123456' } });
  expect(other.reasons).toEqual(['orig-mismatch']);
  const same = await lab.serviceWith({}).verify({ ...request, orig: { kind: 'tn', value: '14930123456' } });
  expect(same.status).toBe('passed');
});

test('headers past the limit are a finding where all headers count', async () => {
  const service = lab.serviceWith({ policy: { verstatPriority: 'worst-of-all' } });
  const header = shakenFrom(now());
  const verdict = await service.verify({ ...parties, identity: [...Array<string>(16).fill(header), 'junk'] });
  expect(verdict).toMatchObject({ status: 'failed' });
  expect(verdict.reasons).toContain('too-many-identity-headers');
});
