import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import type { DemandParams, Production } from '../../sdk/src/platform/index.js';
import { expectPaged, refusal } from './itg-contract-world.js';
import type { ContractWorld } from './itg-contract-world.js';
import { smallPdf } from './itg-demands.js';

/** How long a production may take, milliseconds: seconds, on a machine that has nothing else to do. */
const PATIENCE_MS = 60_000;

/** Legal process, its review, and what is handed over under it. */
export function demandContractClaims(engine: string, opened: () => ContractWorld): void {
  test(`${engine}: a demand is submitted once for each key, and seen by its agency and by staff`, async () => {
    const { lab, texas, ohio, app, as } = opened();
    const { demands } = await as(texas);
    const submitted = await demands.create(demandOf('CID-0'), { idempotencyKey: 'demand-0' });
    expect(submitted).toMatchObject({ state: 'under-review', reference: 'CID-0', decisions: [], productionIds: [] });
    expect(submitted.documentSha256).toBe(createHash('sha256').update(PDF).digest('hex'));
    expect(await demands.create(demandOf('CID-0'), { idempotencyKey: 'demand-0' })).toEqual(submitted);
    expect(await refusal(demands.create(demandOf('CID-1'), { idempotencyKey: 'demand-0' }))).toBe(
      'idempotency-key-reused',
    );
    const scrap = { ...demandOf('CID-1'), document: Buffer.from('no document') };
    expect(await refusal(demands.create(scrap))).toBe('document-unreadable');
    for (const reference of ['CID-1', 'CID-2']) await demands.create(demandOf(reference));
    const listed = await expectPaged((page) => demands.list({ ...page, state: 'under-review' }), {
      limit: 2,
      keyOf: ({ demandId }) => demandId,
    });
    expect(listed.map(({ reference }) => reference)).toEqual(['CID-2', 'CID-1', 'CID-0']);
    const { demandId } = submitted;
    for (const member of [texas, lab.operator])
      expect(await (await as(member)).demands.retrieve({ demandId })).toEqual(submitted);
    expect(await refusal((await as(ohio)).demands.retrieve({ demandId }))).toBe('not-found');
    expect((await (await as(ohio)).demands.list()).items).toEqual([]);
    expect(await refusal((await as(app)).demands.list())).toBe('forbidden');
  });

  test(`${engine}: a reviewer decides, nobody else, and what was approved is produced and handed over`, async () => {
    const { texas, ohio, reviewer, clerk, as } = opened();
    const { demands, productions } = await as(texas);
    const { demandId } = (await demands.list()).items.find(({ reference }) => reference === 'CID-0')!;
    const decision = { demandId, decision: 'approve', reason: 'It fits its kind of process.' } as const;
    expect(await refusal((await as(clerk)).demands.decide(decision))).toBe('forbidden');
    expect(await refusal(demands.decide(decision))).toBe('forbidden');
    const reviewers = (await as(reviewer)).demands;
    const decided = await reviewers.decide(decision, { idempotencyKey: 'decision-0' });
    expect(decided).toMatchObject({ state: 'approved', decisions: [{ decision: 'approve', decidedBy: 'Test' }] });
    expect(await reviewers.decide(decision, { idempotencyKey: 'decision-0' })).toEqual(decided);
    expect(await refusal(reviewers.decide(decision))).toBe('demand-not-open');

    const [productionId = ''] = decided.productionIds;
    const state = async (): Promise<Production['state']> => (await productions.retrieve({ productionId })).state;
    await expect.poll(state, { timeout: PATIENCE_MS, interval: 100 }).toBe('ready');
    const production = await productions.retrieve({ productionId });
    expect(production).toMatchObject({ demandId, decisionId: decided.decisions[0]!.decisionId });
    const names = production.files.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining([production.manifestName, production.certificateName, 'SHA256SUMS']));
    const octets = new Map<string, Buffer>();
    for (const file of production.files) {
      const chunks: Uint8Array[] = [];
      for await (const chunk of productions.file({ productionId, file })) chunks.push(chunk);
      octets.set(file.name, Buffer.concat(chunks));
    }
    const traced = production.files.find(({ name }) => name.startsWith('traceback-records') && name.endsWith('.csv'));
    expect(traced?.records).toBeGreaterThan(0);
    expect(octets.get(traced!.name)!.toString()).toContain('cedar');
    expect((await demands.retrieve({ demandId })).state).toBe('produced');
    const [file] = production.files;
    const others = (await as(ohio)).productions;
    expect(await refusal(others.retrieve({ productionId }))).toBe('not-found');
    expect(await refusal(all(others.file({ productionId, file: file! })))).toBe('not-found');
    expect(await refusal(all((await as(clerk)).productions.file({ productionId, file: file! })))).toBe('forbidden');
    expect(await refusal(all(productions.file({ productionId, file: { ...file!, name: 'none.csv' } })))).toBe(
      'not-found',
    );
  });
}

const all = async (chunks: AsyncIterable<Uint8Array>): Promise<number> => {
  let size = 0;
  for await (const chunk of chunks) size += chunk.length;
  return size;
};

const PDF = smallPdf();

/** Asks for tracebacks of a campaign that there were some of. */
function demandOf(reference: string): DemandParams {
  const day = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString();
  return {
    ...{ kind: 'civil-investigative-demand', reference, authority: 'Tex. Bus. & Com. Code section 17.61' },
    agency: {
      ...{ name: 'Attorney General of Texas', jurisdiction: 'US-TX', contactEmail: 'cases@agency.example' },
    },
    scope: { recordClasses: ['traceback-records'], from: START, to: END, campaignIds: ['c-contract'] },
    ...{ returnOn: day(30).slice(0, 10), isUrgent: false, document: PDF },
  };
}

const START = new Date(Date.now() - 7 * 86_400_000).toISOString();
const END = new Date().toISOString();
