import { execFileSync, spawnSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Production } from '../../sdk/src/platform/index.js';
import { describePeer } from '../peers.js';
import {
  addRecord,
  campaign,
  closeDemandDatabase,
  DATABASE_PATIENCE_MS,
  demandLab,
  emptyWorld,
  openDemandDatabase,
  liveRecord,
  SUBMISSION,
  TEXAS,
  tracedOver,
  type DemandLab,
} from '../support/itg-demands.js';
import { runVerifyScript } from '../support/evidence-lab.js';

beforeAll(() => openDemandDatabase(), DATABASE_PATIENCE_MS);
afterAll(closeDemandDatabase);

/** An expedited production of a campaign, fetched into a folder as an agency does. */
async function fetched(lab: DemandLab): Promise<{ readonly folder: string; readonly production: Production }> {
  const { world } = lab;
  world.campaigns.push(campaign('c-1'));
  for (let call = 0; call < 120; call += 1) {
    const atMs = Date.parse('2026-10-22T10:00:00Z') + call * 600_000;
    addRecord(world, liveRecord(`rec-${call}`, atMs, { seconds: (call * 7) % 90 }), 'c-1');
  }
  for (let traced = 0; traced < 3; traced += 1)
    world.tracebacks.push({ ...tracedOver(`t-${traced}`, '2026-10-22T10:00:00.000Z'), campaignId: 'c-1' });
  const demandId = await lab.submit(TEXAS, {
    isUrgent: true,
    scope: { ...SUBMISSION.scope, recordClasses: ['traceback-records', 'call-records', 'customer-records'] },
  });
  await lab.decide(demandId);
  const production = await lab.produced(demandId);
  const folder = join(lab.directory, 'fetched');
  await mkdir(folder);
  for (const { name } of production.files)
    await writeFile(join(folder, name), await lab.file(production.productionId, name));
  return { folder, production };
}

describePeer('openssl', 'a production', () => {
  test.each(['P-256', 'Ed25519'] as const)(
    'that is signed by %s is whole to openssl and sha256sum, and not with an octet changed in any file',
    { timeout: 240_000 },
    async (keyType) => {
      await using lab = await demandLab({ world: emptyWorld(), keyType, limits: { partBytes: 32_768 } });
      const { folder, production } = await fetched(lab);
      expect(production.files.filter(({ name }) => name.startsWith('call-records')).length).toBeGreaterThan(4);
      expect(runVerifyScript(folder)).toMatchObject({
        status: 0,
        output: expect.stringContaining('The pack is whole.') as string,
      });
      const sums = execFileSync(
        'sha256sum',
        production.files.map(({ name }) => name),
        { cwd: folder, encoding: 'utf8' },
      );
      expect(sums.trim().split('\n')).toEqual(production.files.map(({ name, sha256 }) => `${sha256}  ${name}`));
      for (const name of await readdir(folder)) {
        if (name === 'verify.sh') continue;
        const copy = await mkdtemp(join(lab.directory, 'copy-'));
        await cp(folder, copy, { recursive: true });
        const octets = await readFile(join(copy, name));
        octets[Math.floor(octets.length / 2)]! ^= 1;
        await writeFile(join(copy, name), octets);
        expect([name, runVerifyScript(copy).status]).not.toEqual([name, 0]);
        await rm(join(copy, name));
        expect([name, runVerifyScript(copy).status]).not.toEqual([name, 0]);
        await rm(copy, { recursive: true });
      }
    },
  );

  test('has a list of receipts that openssl verifies, and a certificate that concludes nothing', async () => {
    await using lab = await demandLab({ world: emptyWorld() });
    const { folder, production } = await fetched(lab);
    const { signed, receipts } = await lab.value<{
      signed: { statement: string; signature: string };
      receipts: { name: string }[];
    }>('listProductionReceipts', TEXAS, { productionId: production.productionId, limit: '500' });
    expect(receipts.map(({ name }) => name)).toEqual(production.files.map(({ name }) => name));
    await writeFile(join(folder, '../receipts.json'), signed.statement);
    await writeFile(join(folder, '../receipts.sig'), Buffer.from(signed.signature, 'base64'));
    const verified = spawnSync(
      'openssl',
      ['dgst', '-sha256', '-verify', 'public-key.pem', '-signature', '../receipts.sig', '../receipts.json'],
      { cwd: folder, encoding: 'utf8' },
    );
    expect(verified.stdout).toContain('Verified OK');
    const certificate = await readFile(join(folder, 'custodian-certificate.txt'), 'utf8');
    const fields = ['Executed on:', 'Signature:', 'Name:', 'Title:', 'CID-2026-0311'];
    for (const part of ['902(11), 902(13) and 902(14)', 'I declare under penalty of perjury', ...fields])
      expect(certificate).toContain(part);
    expect(certificate).not.toMatch(/authentic|accurate|illegal|guilty|fraud/i);
    for (const { name, sha256 } of production.files.filter(({ recordClass }) => recordClass !== undefined))
      expect(certificate).toContain(`${sha256}  ${name}`);
  });
});
