import { existsSync } from 'node:fs';
import { readFile, rename, stat } from 'node:fs/promises';
import type { SignatureRecord } from '@hopback/sdk/stir';
import { expect, test } from 'vitest';
import { openAttestationFile } from '../../sdk/src/cli/sign.js';
import { codeOf } from '../support/code-of.js';
import { testFolder } from '../support/test-folder.js';

const folder = testFolder();
const record = (origId: string): SignatureRecord =>
  ({ format: 'hopback.attestation-record.1', ppt: 'shaken', claims: { origId } }) as SignatureRecord;
const trouble = (): never => {
  throw new Error('nobody expected trouble');
};

test('records are appended, a line each, for the user alone, and a file that was moved away begins again', async () => {
  const path = folder.at('attestations.ndjson');
  const idsIn = async (name: string): Promise<readonly unknown[]> =>
    (await readFile(folder.at(name), 'utf8'))
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { claims: { origId: string } }).claims.origId);
  for (const part of [['1', '2'], ['3']]) {
    const file = await openAttestationFile(path, trouble);
    for (const origId of part) file.keep(record(origId));
    await file.close();
    expect(file.lost()).toBe(0);
  }
  expect(await idsIn('attestations.ndjson')).toEqual(['1', '2', '3']);
  expect((await stat(path)).mode & 0o077).toBe(0);
  const file = await openAttestationFile(path, trouble);
  await rename(path, folder.at('old'));
  file.keep(record('4'));
  await file.close();
  expect([await idsIn('old'), await idsIn('attestations.ndjson')]).toEqual([['1', '2', '3'], ['4']]);
});

test('a record is not glued to one that a kill has cut off', async () => {
  const path = await folder.write('attestations.ndjson', '{"format":"hopback.attest');
  const file = await openAttestationFile(path, trouble);
  for (const origId of ['1', '2']) file.keep(record(origId));
  await file.close();
  const lines = (await readFile(path, 'utf8')).trimEnd().split('\n');
  expect(lines).toEqual(['{"format":"hopback.attest', JSON.stringify(record('1')), JSON.stringify(record('2'))]);
});

test('records that a stalled disk has no room for are counted, and told of once', async () => {
  const told: unknown[] = [];
  const file = await openAttestationFile(folder.at('attestations.ndjson'), (error) => void told.push(error.code));
  for (let at = 0; at < 100_010; at += 1) file.keep(record('1'));
  await file.close();
  expect(told).toEqual(['storage-failed']);
  expect(file.lost()).toBeGreaterThan(0);
});

test('a file that cannot be written is found out at once', async () => {
  expect(await codeOf(openAttestationFile('/nowhere/at/all', trouble))).toBe('storage-failed');
});

test.skipIf(!existsSync('/dev/full'))('what a full disk does not take is counted and told of', async () => {
  const told: unknown[] = [];
  const file = await openAttestationFile('/dev/full', (error) => void told.push(error.message));
  file.keep(record('1'));
  await file.close();
  expect([file.lost(), told]).toEqual([1, ['/dev/full cannot be written (ENOSPC)']]);
});
