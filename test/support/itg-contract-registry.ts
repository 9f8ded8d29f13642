import { expect, test } from 'vitest';
import type { DoNotOriginateEntry } from '../../sdk/src/platform/index.js';
import { expectPaged, refusal } from './itg-contract-world.js';
import type { ContractWorld } from './itg-contract-world.js';
import { testEntry } from './itg-reference.js';

/** The registry of providers, and the list of numbers that nobody calls from. */
export function registryContractClaims(engine: string, opened: () => ContractWorld): void {
  test(`${engine}: providers are listed by name and found by every identifier`, async () => {
    const { lab, alder, texas, app, as } = opened();
    const before = new Date().toISOString();
    for (let index = 0; index < 7; index += 1) {
      const providerId = `filer-${index}`;
      const codes = { ocns: [`9${index}A1`], spcs: [`9${index}A1`], frn: `000000010${index}` };
      const entry = testEntry(providerId, { businessName: `Filer ${index}, LLC`, ...codes });
      await lab.asOperator('POST', `/v1/registry/providers/${providerId}`, entry);
    }
    const { providers } = await as(texas);
    const filers = await expectPaged((page) => providers.list({ ...page, name: 'fILER' }), {
      limit: 3,
      keyOf: ({ providerId }) => providerId,
    });
    expect(filers.map(({ businessName }) => businessName)).toEqual(
      Array.from({ length: 7 }, (_, index) => `Filer ${index}, LLC`),
    );
    const changed: string[] = [];
    for await (const { providerId } of providers.iterate({ limit: 2, changedSince: before })) changed.push(providerId);
    expect(changed).toEqual(filers.map(({ providerId }) => providerId));
    for (const by of [{ frn: '0000000104' }, { ocn: '94A1' }, { spc: '94A1' }, { spc: '94A1', name: 'filer' }])
      expect((await providers.list(by)).items.map(({ providerId }) => providerId)).toEqual(['filer-4']);
    expect((await providers.list({ frn: '0000000104', ocn: '93A1' })).items).toEqual([]);
    const { updatedAt: _, ...registered } = alder.entry;
    expect(await (await as(alder)).providers.retrieve({ providerId: 'alder' })).toMatchObject(registered);
    expect(await refusal(providers.retrieve({ providerId: 'nobody' }))).toBe('not-found');
    expect(await refusal(providers.list({ frn: '12' }))).toBe('invalid-parameter');
    expect(await refusal((await as(app)).providers.list())).toBe('forbidden');
  });

  test(`${engine}: a scorecard is there for the provider itself, for agencies and for staff`, async () => {
    const { lab, birch, alder, texas, as } = opened();
    const range = { from: '2026-01-01T00:00:00Z', to: '2026-02-01T00:00:00Z' };
    for (const member of [birch, texas, lab.operator]) {
      const { providers } = await as(member);
      expect(await providers.scorecard({ providerId: 'birch', ...range })).toMatchObject({
        ...{ providerId: 'birch', from: '2026-01-01T00:00:00.000Z', to: '2026-02-01T00:00:00.000Z' },
      });
    }
    const { providers } = await as(alder);
    expect(await refusal(providers.scorecard({ providerId: 'birch' }))).toBe('not-found');
    expect(await refusal(providers.scorecard({ providerId: 'alder', from: range.to, to: range.from }))).toBe(
      'invalid-parameter',
    );
  });

  test(`${engine}: the list of numbers that nobody calls from tells what is new, what was withdrawn too`, async () => {
    const { lab, alder, app, texas, as } = opened();
    const entries: readonly Omit<DoNotOriginateEntry, 'updatedAt'>[] = Array.from({ length: 5 }, (_, index) => ({
      ...{ entryId: `line-${index}`, numbers: { tn: `1800555010${index}` }, reason: 'subscriber-request' },
      ...{ subscriber: 'Example Bank', validFrom: '2026-01-01T00:00:00Z' },
    }));
    await lab.asOperator('POST', '/v1/do-not-originate-imports', { entries });
    const { doNotOriginate } = await as(alder);
    const listed = await expectPaged((page) => doNotOriginate.list(page), {
      limit: 2,
      keyOf: ({ entryId }) => entryId,
    });
    expect(listed).toMatchObject(entries);
    // Another millisecond than that of the import.
    await expect.poll(() => new Date().toISOString()).not.toBe(listed.at(-1)!.updatedAt);
    const since = new Date().toISOString();
    await lab.asOperator('POST', '/v1/do-not-originate/line-3/withdrawal');
    const fresh: DoNotOriginateEntry[] = [];
    for await (const entry of (await as(app)).doNotOriginate.iterate({ changedSince: since })) fresh.push(entry);
    expect(fresh).toMatchObject([{ entryId: 'line-3', validTo: expect.stringMatching(/Z$/) }]);
    expect(await refusal((await as(texas)).doNotOriginate.list())).toBe('forbidden');
    expect(await refusal(doNotOriginate.list({ cursor: '!' }))).toBe('invalid-parameter');
  });
}
