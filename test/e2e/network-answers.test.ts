import { expect, test } from 'vitest';
import type { SeenTraceback } from '../../harness/src/oracle/index.js';
import type { Behaviour } from '../../harness/src/scenario/index.js';
import { smallPlan } from '../support/network-plan.js';
import { carriedOut } from '../support/network-world.js';

// One world for all that a provider can do with its records and answers: each on a way of its own between the same two ends.

const PATIENCE_MS = 120_000;
const HOUR_MS = 3_600_000;

const MIDDLES: Readonly<Record<string, Behaviour>> = {
  honest: { kind: 'clock-skew', seconds: 2 },
  silent: { kind: 'silent' },
  late: { kind: 'late', hours: 5 },
  refuses: { kind: 'refuses', reason: 'Bring a subpoena.' },
  another: { kind: 'names-another', provider: 'birch' },
  colluding: { kind: 'names-another', provider: 'ally', colludes: true },
  nobody: { kind: 'names-nobody', name: 'Nobody Telecom LLC' },
  claims: { kind: 'claims-origin' },
  denies: { kind: 'denies' },
  purged: { kind: 'purged-records' },
  gap: { kind: 'record-gap' },
};

const names = Object.keys(MIDDLES);
const plan = smallPlan({
  providers: [{ id: 'alder' }, { id: 'cedar' }],
  others: [
    ...Object.entries(MIDDLES).map(([id, behaviour]) => ({ id, behaviours: [behaviour] })),
    { id: 'birch' },
    { id: 'ally', upstream: ['birch'] },
    { id: 'gateway', role: 'gateway', country: 'US' },
    { id: 'abroad', role: 'foreign', country: 'GB', stir: false, answersTracebacks: false },
  ],
  calls: [
    ...names.map((id) => ({ way: ['alder', id, 'cedar'], atMs: 0 })),
    { way: ['abroad', 'gateway', 'cedar'], atMs: 0, calling: '442079460123' },
  ],
  platform: { staffTracebacks: names.length + 1 },
});

test(
  'what each provider does with its records and answers, and what tracebacks make of it',
  { timeout: PATIENCE_MS },
  async () => {
    const { facts } = await carriedOut({ plan });
    expect(facts.troubles).toEqual([]);
    const through = (id: string): SeenTraceback | undefined => {
      const index = plan.calls.findIndex(({ way }) => way[1] === id);
      return facts.tracebacks.find(({ callIndex }) => callIndex === index);
    };
    const said = (id: string): SeenTraceback['answers'][number] | undefined =>
      through(id)?.answers.find(({ provider }) => provider === id);
    const outcomeOf = (id: string): string =>
      `${through(id)?.outcome?.kind ?? ''} ${through(id)?.outcome?.provider ?? ''}`;
    expect(facts.tracebacks.map(({ state }) => state)).toEqual(plan.calls.map(() => 'closed'));

    expect(outcomeOf('honest')).toBe('origin alder');
    expect(said('silent')).toBeUndefined();
    // Its honest neighbour knows that it sent the call to it.
    expect(['origin alder', 'non-responsive silent']).toContain(outcomeOf('silent'));
    expect(said('late')).toMatchObject({ kind: 'received-from', named: 'alder' });
    expect(said('late')?.afterMs).toBeGreaterThanOrEqual(5 * HOUR_MS);
    expect(said('late')?.afterMs).toBeLessThan(7 * HOUR_MS);
    expect(outcomeOf('late')).toBe('origin alder');
    expect(said('refuses')).toMatchObject({ kind: 'refused' });
    expect(said('another')).toMatchObject({ kind: 'received-from', named: 'birch' });
    expect(said('colluding')).toMatchObject({ kind: 'received-from', named: 'ally' });
    const ally = through('colluding')?.answers.find(({ provider }) => provider === 'ally');
    expect(ally).toMatchObject({ kind: 'received-from', named: 'birch' });
    expect(said('nobody')).toMatchObject({ kind: 'received-from-unlisted' });
    expect(said('claims')).toMatchObject({ kind: 'origin' });
    expect(said('denies')).toMatchObject({ kind: 'not-found' });
    for (const id of ['purged', 'gap']) expect(said(id)).toMatchObject({ kind: 'not-retained' });
    expect(said('gateway')).toMatchObject({ kind: 'point-of-entry' });
    expect(outcomeOf('gateway')).toBe('point-of-entry gateway');
    // Nobody who was not on the way is called the origin of anything.
    for (const id of ['another', 'colluding']) expect(outcomeOf(id)).not.toContain('origin birch');
  },
);
