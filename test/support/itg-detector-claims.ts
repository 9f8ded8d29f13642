import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { campaignsTables } from '../../harness/src/platform/campaigns/campaigns-repository.js';
import {
  MAX_SNAPSHOT_BYTES,
  packState,
  readSnapshot,
  storeSnapshot,
} from '../../harness/src/platform/campaigns/detector-snapshot.js';
import type { CampaignsArea, CampaignsOptions } from '../../harness/src/platform/campaigns/campaigns-area.js';
import type { LiveRecord } from '../../harness/src/platform/core/index.js';
import { DEFAULT_SUSPICION_POLICY } from '../../sdk/src/records/suspicion/suspicion-policy.js';
import { callCampaigns, listed, type CampaignsBench } from './itg-campaigns-bench.js';
import { appReport, DUNE, LIVE_START_MS, neighbourCalls } from './itg-live-calls.js';

/** Tables that are small, so that a test makes and packs a dozen of detectors in a second. */
export const SMALL_DETECTOR: CampaignsOptions = {
  limits: { groups: 256, numbers: 4_096, calls: 1_024, reports: 256, contents: 256, campaigns: 64 },
  scriptLimits: { maxScripts: 100, maxMembers: 1_000, maxPostings: 1_024 },
  suspicion: {
    ...DEFAULT_SUSPICION_POLICY,
    limits: { numbers: 1_024, trunks: 64, signers: 64, calls: 1_024, rows: 1_024 },
  },
};

/** Of which nobody but whoever asks for readiness is told. */
const WARMING = { text: 'detector: warming', isWarning: false };

/** Far beyond the time after which a snapshot is due. */
const DUE_MS = LIVE_START_MS + 3_600_000;

/** A journal of records as the area follows it: batches by their places, and a process that may die at any of them. */
function openJournal(bench: CampaignsBench, batches: readonly (readonly LiveRecord[])[]) {
  const told = new Map<CampaignsArea, number>();
  let durable = 0;
  const start = async (): Promise<CampaignsArea> => {
    const area = bench.area(() => ({ first: 1, last: durable }));
    // What the journal has is in the store as well.
    for (const batch of batches.slice(0, durable))
      bench.records.push(...batch.filter((one) => !bench.records.includes(one)));
    await area.start();
    told.set(area, (await area.begun) ?? durable);
    area.listener.reached(told.get(area) ?? 0);
    return area;
  };
  return {
    ...{ batches, start },
    /** Kills the area and starts it again. */
    restart: async (): Promise<CampaignsArea> => {
      await bench.die();
      return start();
    },
    /** Hands it batches from where it begins up to a place, by default the end, as the follower of the journal does. */
    tell: async (area: CampaignsArea, upTo = batches.length): Promise<void> => {
      durable = Math.max(durable, upTo);
      for (let at = told.get(area) ?? 0; at < upTo; at += 1) {
        await area.listener.free();
        area.listener.records(batches[at] ?? []);
        area.listener.reached(at + 1);
        told.set(area, at + 1);
      }
      await area.flush();
    },
  };
}

const MIXED = (): readonly (readonly LiveRecord[])[] => {
  const calls = [
    ...neighbourCalls(40),
    ...neighbourCalls(40, { from: 300, ...DUNE }),
    ...neighbourCalls(9, { from: 600, spc: '555E', upstream: 'Elm', trunk: 'trunk-3' }),
  ].toSorted((a, b) => (a.record.inviteAtUs % 7_919_000) - (b.record.inviteAtUs % 7_919_000));
  return Array.from({ length: Math.ceil(calls.length / 4) }, (_, at) => calls.slice(at * 4, at * 4 + 4));
};

/** A detector that made a snapshot after some batches, and has heard some more. */
async function withSnapshot(bench: CampaignsBench, snapshotAt: number, upTo: number = snapshotAt) {
  const journal = openJournal(bench, MIXED());
  const first = await journal.start();
  await journal.tell(first, snapshotAt);
  await first.keepSnapshot(DUE_MS);
  await journal.tell(first, upTo);
  return { journal, first };
}

/** Campaigns as everybody sees them, and what was done about them: whatever was killed in between. */
const storedHeads = async ({ context }: CampaignsBench) =>
  campaignsTables(context.database).selectFrom('campaigns_snapshots').selectAll().execute();

async function outcome(bench: CampaignsBench, area: CampaignsArea): Promise<unknown> {
  await area.flush();
  const campaigns = await listed(area);
  return {
    campaigns: await Promise.all(
      campaigns.map(async ({ campaignId, updatedAt: _updated, ...campaign }) => ({
        ...campaign,
        calls: (await area.reader.calls(bench.context.database, campaignId, { limit: 1_000 })).map(
          ({ callId }) => callId,
        ),
      })),
    ),
    acts: (await bench.context.audited())
      .map(({ action }) => action)
      .filter((action) => action.startsWith('campaign.')),
  };
}

const unusable = ({ context }: CampaignsBench) =>
  context.logged.filter(({ message }) => message.includes('cannot be used'));

const observed = async (area: CampaignsArea): Promise<readonly number[]> =>
  (await listed(area)).map(({ observedCalls }) => observedCalls);

const RENAME = { decision: 'rename', name: 'Cedar-Neighbours', reason: 'known' };
/** Renames the newest campaign, or decides something else about it. */
const decide = async (area: CampaignsArea, body: unknown = RENAME) =>
  callCampaigns(area, 'decideCampaign', {
    ...{ parameters: { campaignId: (await listed(area))[0]?.campaignId ?? '' }, body },
  });
const namesIn = async (area: CampaignsArea): Promise<readonly string[]> => (await listed(area)).map(({ name }) => name);

/** Puts a snapshot in the place of the stored one in which one table has the size of another. */
async function exchangeTables(bench: CampaignsBench): Promise<void> {
  const { context } = bench;
  const [head] = await storedHeads(bench);
  const found = await readSnapshot(context, head?.version ?? '');
  if (found.status !== 'read' || head === undefined) throw new Error(found.status);
  const state = found.state as { readonly engine: { readonly calls: Record<string, unknown> } };
  const { calls } = state.engine;
  // The last tables that are taken over: everything else is in the engine by then.
  const harmed = { ...state, engine: { ...state.engine, calls: { ...calls, waiting: calls['recorded'] } } };
  const packed = await packState(harmed, MAX_SNAPSHOT_BYTES);
  if (packed === undefined) throw new Error('too large');
  await storeSnapshot(context, packed, { version: head.version, sequence: 8, atMs: LIVE_START_MS });
}

/** What the detector promises of restarts on every engine. Each test has emptied tables. */
export function detectorClaims(
  engine: string,
  open: (options?: CampaignsOptions) => CampaignsBench,
  empty: () => Promise<void>,
): void {
  const undisturbed = async (): Promise<unknown> => {
    const bench = open();
    const journal = openJournal(bench, MIXED());
    const area = await journal.start();
    await journal.tell(area);
    const whole = await outcome(bench, area);
    await bench.die();
    await empty();
    return whole;
  };

  const claim = (name: string, check: (bench: CampaignsBench) => Promise<void>): void =>
    test(`${engine}: ${name}`, () => check(open()));

  test(
    `${engine}: killed after a snapshot, it finds the same campaigns, each once, as one that was never killed`,
    { timeout: 120_000 },
    async () => {
      const whole = await undisturbed();
      expect(whole).toMatchObject({ campaigns: [{ observedCalls: 40 }, { observedCalls: 40 }] });
      for (const [snapshotAt, killedAt] of [
        [1, 3],
        [6, 7],
        [9, 23],
        [15, 15],
      ] as const) {
        const bench = open();
        const { journal, first } = await withSnapshot(bench, snapshotAt, killedAt);
        const before = await listed(first);
        const second = await journal.restart();
        expect(await second.begun).toBe(snapshotAt);
        await journal.tell(second);
        expect(await outcome(bench, second)).toEqual(whole);
        // A campaign that was announced keeps its id.
        const ids = (await listed(second)).map(({ campaignId }) => campaignId);
        expect(ids).toEqual(expect.arrayContaining(before.map(({ campaignId }) => campaignId)));
        await bench.die();
        await empty();
      }
    },
  );

  claim('until it has caught up it says so, shows what is stored, and asks analysts to come back', async (bench) => {
    const { journal, first } = await withSnapshot(bench, 4, 20);
    const before = await listed(first);
    expect(before.length).toBeGreaterThan(0);
    const second = await journal.restart();
    expect(second.notices?.()).toEqual([WARMING]);
    expect(await listed(second)).toEqual(before);
    const parameters = { campaignId: before[0]?.campaignId ?? '' };
    const body = { decision: 'close', reason: 'over' };
    for (const operation of ['decideCampaign', 'fetchCampaignEvidence', 'listWatchedGroups'])
      expect(await callCampaigns(second, operation, { parameters, body })).toMatchObject({
        kind: 'problem',
        code: 'unavailable',
      });
    // Nothing is marked as settled meanwhile.
    expect(await second.listener.settled()).toBe(false);
    await journal.tell(second, 20);
    expect(second.notices?.()).toEqual([]);
    expect(await second.listener.settled()).toBe(true);
    expect(await callCampaigns(second, 'decideCampaign', { parameters, body })).toMatchObject({ kind: 'json' });
  });

  const run = (statement: string) => (bench: CampaignsBench) => sql.raw(statement).execute(bench.context.database);
  const HARMS: readonly (readonly [what: string, harm: (bench: CampaignsBench) => Promise<unknown>])[] = [
    ['of another version', run(`update campaigns_snapshots set version = 'another'`)],
    [
      'with an octet changed',
      run(`update campaigns_snapshot_a set octets = set_byte(octets, 400, 255 - get_byte(octets, 400))`),
    ],
    ['with a part missing', run(`delete from campaigns_snapshot_a`)],
    ['whose key is gone', run(`delete from core_sealed where belongs_to like 'detector-snapshot%'`)],
    ['that is said to be of another place', run(`update campaigns_snapshots set sequence = 9`)],
    ['with tables of another size', exchangeTables],
  ];
  for (const [what, harm] of HARMS)
    claim(`a snapshot ${what} is left alone, with a notice, and records are read again`, async (bench) => {
      const { journal } = await withSnapshot(bench, 8, 12);
      await bench.die();
      await harm(bench);
      const second = await journal.restart();
      expect(await second.begun).toBeUndefined();
      expect(second.notices?.()).toEqual([]);
      const because = what === 'of another version' ? 'other-version' : 'damaged';
      expect(unusable(bench)).toMatchObject([{ level: 'warn', details: { because } }]);
      if (harm === exchangeTables) expect(await storedHeads(bench)).toEqual([]);
      await journal.tell(second);
      expect(await observed(second)).toEqual([40, 40]);
      // The next one is in its place.
      await second.keepSnapshot(DUE_MS + 3_600_000);
      expect(await (await journal.restart()).begun).toBe(journal.batches.length);
    });

  claim('a snapshot of a journal that is gone, or begins later, is left alone', async (bench) => {
    await withSnapshot(bench, 8);
    await bench.die();
    for (const range of [
      { first: 1, last: 7 },
      { first: 10, last: 20 },
    ]) {
      const area = bench.area(() => range);
      await area.start();
      expect(await area.begun).toBeUndefined();
      await bench.die();
    }
    expect(unusable(bench)).toMatchObject([
      { details: { because: 'other-journal' } },
      { details: { because: 'other-journal' } },
    ]);
  });

  claim('what an analyst has decided after a snapshot holds after a crash', async (bench) => {
    const { journal, first } = await withSnapshot(bench, 20);
    await decide(first);
    const second = await journal.restart();
    await journal.tell(second);
    expect(await namesIn(second)).toContain('Cedar-Neighbours');
    // And after the snapshot that was made then.
    await second.keepSnapshot(DUE_MS + 3_600_000);
    const third = await journal.restart();
    expect(await third.begun).toBe(journal.batches.length);
    expect(await namesIn(third)).toContain('Cedar-Neighbours');
  });

  claim(
    'a call of an analyst that decides nothing leaves the snapshot, and the journal that it needs',
    async (bench) => {
      const journal = openJournal(bench, MIXED());
      const first = await journal.start();
      await journal.tell(first, 20);
      await decide(first);
      expect(first.listener.neededFrom()).toBeUndefined();
      await first.keepSnapshot(DUE_MS);
      // Decided before, no such key, no such campaign.
      await decide(first);
      await decide(first, { decision: 'split', keyIds: ['none'], reason: 'other' });
      await decide(first, { decision: 'merge', into: 'c-none', reason: 'one' });
      await callCampaigns(first, 'decideCampaign', { parameters: { campaignId: 'c-none' }, body: RENAME });
      expect(first.listener.neededFrom()).toBe(20);
    },
  );

  claim('reports that came after a snapshot are told again until another covers them', async (bench) => {
    const journal = openJournal(bench, MIXED());
    const first = await journal.start();
    const hear = (area: CampaignsArea, from: number, to: number): void => {
      for (let at = from; at < to; at += 1) area.listener.report('app-1', appReport(at), LIVE_START_MS + 10_000);
    };
    hear(first, 0, 2);
    expect(first.listener.coveredReports()).toBe(2);
    await first.keepSnapshot(DUE_MS);
    hear(first, 2, 4);
    expect(first.listener.coveredReports()).toBe(2);
    const second = await journal.restart();
    expect(second.listener.coveredReports()).toBe(0);
    hear(second, 2, 6);
    await second.flush();
    expect(await listed(second)).toMatchObject([{ observedCalls: 6 }]);
    await second.keepSnapshot(DUE_MS + 3_600_000);
    expect(second.listener.coveredReports()).toBe(4);
  });

  test(`${engine}: a campaign that cannot be stored keeps neither snapshot nor start waiting, and no kill loses it`, async () => {
    const whole = await undisturbed();
    const bench = open();
    const { database } = bench.context;
    const journal = openJournal(bench, MIXED());
    await sql`create function refuse_campaign() returns trigger language plpgsql as $$
      begin if new.saved::text like '%444D%' then raise exception 'refused'; end if; return new; end $$`.execute(
      database,
    );
    await sql`create trigger refused before insert or update on campaigns_campaigns for each row
      execute function refuse_campaign()`.execute(database);
    try {
      const first = await journal.start();
      await expect(journal.tell(first, 15)).rejects.toThrow();
      await first.keepSnapshot(DUE_MS);
      await expect(journal.tell(first)).rejects.toThrow();
      expect(await listed(first)).toMatchObject([{ observedCalls: 40, signers: [{ spc: '333C' }] }]);
      const second = await journal.restart();
      expect(await second.begun).toBe(15);
      await expect(journal.tell(second)).rejects.toThrow();
      expect(second.notices?.()).toEqual([]);
      await second.keepSnapshot(DUE_MS + 3_600_000);
    } finally {
      await sql`drop trigger refused on campaigns_campaigns`.execute(database);
      await sql`drop function refuse_campaign`.execute(database);
    }
    const third = await journal.restart();
    expect(await third.begun).toBe(journal.batches.length);
    expect(await outcome(bench, third)).toEqual(whole);
  });

  test(`${engine}: where a state has grown too large for a snapshot, the old one is dropped, and nothing is kept for it`, async () => {
    let maxSnapshotBytes = MAX_SNAPSHOT_BYTES;
    const bench = open({
      ...SMALL_DETECTOR,
      get maxSnapshotBytes() {
        return maxSnapshotBytes;
      },
    });
    const { journal } = await withSnapshot(bench, 4);
    await bench.die();
    maxSnapshotBytes = 1_000;
    const second = await journal.restart();
    await journal.tell(second, 8);
    second.listener.report('app-1', appReport(0), LIVE_START_MS + 10_000);
    expect([second.listener.neededFrom(), second.listener.coveredReports()]).toEqual([4, 0]);
    await second.keepSnapshot(DUE_MS + 3_600_000);
    expect([second.listener.neededFrom(), second.listener.coveredReports()]).toEqual([undefined, 1]);
    expect(await storedHeads(bench)).toEqual([]);
    const third = await journal.restart();
    expect(await third.begun).toBeUndefined();
    await journal.tell(third);
    expect(await observed(third)).toEqual([40, 40]);
  });

  for (const table of ['campaigns_snapshot_b', 'campaigns_snapshots'])
    claim(
      `while no snapshot can be stored in ${table}, the journal is kept for half an hour and no longer`,
      async (bench) => {
        const { clock, database } = bench.context;
        const { first } = await withSnapshot(bench, 4, 8);
        await database.schema.alterTable(table).renameTo('campaigns_gone').execute();
        try {
          clock.advance(1_700_000);
          await expect(first.keepSnapshot(DUE_MS + 3_600_000)).rejects.toThrow();
          expect(first.listener.neededFrom()).toBe(4);
          clock.advance(200_000);
          await expect(first.keepSnapshot(DUE_MS + 7_200_000)).rejects.toThrow();
          expect(first.listener.neededFrom()).toBeUndefined();
        } finally {
          await database.schema.alterTable('campaigns_gone').renameTo(table).execute();
        }
        await first.keepSnapshot(DUE_MS + 10_800_000);
        expect(first.listener.neededFrom()).toBe(8);
        expect(await storedHeads(bench)).toMatchObject([{ sequence: 8 }]);
      },
    );

  claim('no snapshot holds an analyst’s word that could not be stored', async (bench) => {
    const { clock, database } = bench.context;
    const { journal, first } = await withSnapshot(bench, 16, 20);
    await database.schema.alterTable('campaigns_decisions').renameTo('campaigns_gone').execute();
    try {
      await expect(decide(first)).rejects.toThrow();
    } finally {
      await database.schema.alterTable('campaigns_gone').renameTo('campaigns_decisions').execute();
    }
    await first.keepSnapshot(DUE_MS + 3_600_000);
    const second = await journal.restart();
    expect(await second.begun).toBe(16);
    await journal.tell(second);
    // The call has failed, and what has failed does not hold.
    expect(await namesIn(second)).not.toContain('Cedar-Neighbours');
    await decide(second);
    clock.advance(5_000);
    await second.flush();
    await second.keepSnapshot(DUE_MS + 7_200_000);
    const third = await journal.restart();
    expect(await third.begun).toBe(journal.batches.length);
    expect(await namesIn(third)).toContain('Cedar-Neighbours');
    expect((await bench.context.audited()).filter(({ action }) => action === 'campaign.rename')).toHaveLength(1);
  });

  claim('it keeps a snapshot when it is closed, and closes at once while it is warming', async (bench) => {
    const journal = openJournal(bench, MIXED());
    const first = await journal.start();
    await journal.tell(first, 10);
    await first.close();
    expect(() => first.listener.records([])).toThrow(expect.objectContaining({ code: 'unavailable' }));
    const second = await journal.restart();
    expect(await second.begun).toBe(10);
    await bench.die();
    const third = bench.area(() => ({ first: 1, last: 99 }));
    await third.start();
    expect(third.notices?.()).toEqual([WARMING]);
    await third.close();
    expect(await storedHeads(bench)).toMatchObject([{ sequence: 10 }]);
  });

  claim('no telephone number can be read in a snapshot', async (bench) => {
    const journal = openJournal(bench, MIXED());
    const area = await journal.start();
    const transcript = { text: `${'Please call us back. '.repeat(8)}1-390-456-7890`, language: 'en' };
    for (let at = 0; at < 4; at += 1) area.listener.report('app-1', appReport(at, { transcript }), LIVE_START_MS);
    await journal.tell(area, 4);
    await area.keepSnapshot(DUE_MS);
    const tables = campaignsTables(bench.context.database);
    const parts = await tables.selectFrom('campaigns_snapshot_a').selectAll().execute();
    expect(parts.length).toBeGreaterThan(0);
    const octets = Buffer.concat(parts.map((part) => part.octets)).toString('latin1');
    expect(octets).not.toMatch(/390456|call us back/);
  });
}
