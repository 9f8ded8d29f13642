import { createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
// The built package: threads are started from its files.
import { SignaturePool, type SignatureJob } from '../../sdk/dist/stir/index.js';

const signers = Array.from({ length: 3 }, () => generateKeyPairSync('ec', { namedCurve: 'P-256' }));

function job(index: number, isGood: boolean): SignatureJob {
  const signer = signers[index % signers.length];
  if (signer === undefined) throw new Error('no signer');
  const signingInput = `header.payload-${String(index)}`;
  const signature = sign('sha256', Buffer.from(isGood ? signingInput : 'another'), {
    key: signer.privateKey,
    dsaEncoding: 'ieee-p1363',
  });
  return { publicKey: signer.publicKey, signingInput, signature };
}

function openPool(options: ConstructorParameters<typeof SignaturePool>[0]): SignaturePool {
  const pool = new SignaturePool(options);
  onTestFinished(() => pool.close());
  return pool;
}

test('a pool answers each job in its place, over many keys and batches', async () => {
  const pool = openPool({ threads: 2 });
  const jobs = Array.from({ length: 600 }, (_, index) => job(index, index % 7 !== 0));
  const answers = await Promise.all(jobs.map((one) => pool.check([one])));
  expect(answers).toEqual(jobs.map((_, index) => [index % 7 !== 0]));
  expect(await pool.check(jobs.slice(0, 8))).toEqual([false, true, true, true, true, true, true, false]);
});

test('a pool takes no more than it has room for and leaves the rest unchecked', async () => {
  const pool = openPool({ threads: 1, maxJobs: 4 });
  const jobs = Array.from({ length: 6 }, (_, index) => job(index, true));
  const answers = await Promise.all(jobs.map((one) => pool.check([one])));
  expect(answers).toEqual([[true], [true], [true], [true], [undefined], [undefined]]);
});

test('a closed pool has checked nothing, which is not false', async () => {
  const pool = openPool({ threads: 1 });
  const underway = pool.check([job(1, true)]);
  await pool.close();
  expect(await underway).toEqual([undefined]);
  expect(await pool.check([job(1, true)])).toEqual([undefined]);
});

test('a signature with r and s of zero, or of all ones, is bad and nothing else', async () => {
  const pool = openPool({ threads: 1 });
  const { publicKey, signingInput } = job(0, true);
  const bad = [new Uint8Array(64), new Uint8Array(64).fill(0xff)];
  expect(await pool.check(bad.map((signature) => ({ publicKey, signingInput, signature })))).toEqual([false, false]);
});

test('a key that is given as another object of the same key gives the same answer', async () => {
  const pool = openPool({ threads: 1 });
  const one = job(0, true);
  const again = createPublicKey({
    key: one.publicKey.export({ type: 'spki', format: 'der' }),
    format: 'der',
    type: 'spki',
  });
  expect(await pool.check([one, { ...one, publicKey: again }])).toEqual([true, true]);
});
