import { hash } from 'node:crypto';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { SeededRandom } from '../../harness/src/faults/seeded-random.js';
import type { SharedRecord } from '../../sdk/src/contract/call-record.js';
import { RECORD_BATCH_TYPE } from '../../sdk/src/contract/record-batch.js';
import { createTemporaryDirectory } from '../peers/temporary-directory.js';
import { faultCount, reportFault, tellRound } from '../support/fault-counts.js';
import { liveCall } from '../support/itg-live-calls.js';
import { fetchTo, PLATFORM_URL, registerParties } from '../support/itg-platform-victim-parties.js';
import type { PlatformParties } from '../support/itg-platform-victim-parties.js';
import { startVictim, type Victim } from '../support/itg-platform-victim-rounds.js';

const ROUNDS = faultCount({ short: 3, full: 40 });
/** A start takes seconds of a processor, and a minute where others share it. */
const PATIENCE_MS = 600_000 + 60_000 * ROUNDS;
const BATCH = 20;
/** Calls of each campaign, among as many ordinary ones. */
const CALLS = 40;
/** Of so many signers, each with numbers of the exchange that it calls in Texas. */
const CAMPAIGNS = 3;
const LOOK_MS = 100;

/** The same calls in each run; they are made to end a minute ago. */
function records(): readonly SharedRecord[] {
  const beganMs = Date.now() - 300_000;
  const made: SharedRecord[] = [];
  for (let at = 0; at < CALLS * CAMPAIGNS * 2; at += 1) {
    const campaign = at % (2 * CAMPAIGNS);
    const exchange = `1214${String(200 + (at % 50))}`;
    const call =
      campaign < CAMPAIGNS
        ? {
            ...{
              spc: `${String(700 + campaign)}C`,
              attestation: 'C' as const,
              upstream: `Gateway ${String(campaign)}`,
            },
            ...{ calling: `${exchange}${String(1_000 + at)}`, called: `${exchange}${String(6_000 + at)}` },
          }
        : {
            ...{ spc: '800A', attestation: 'A' as const, upstream: 'Alder', seconds: 100, isSuspected: false },
            ...{ calling: `1512345${String(1_000 + (at % 9))}`, called: `1713456${String(1_000 + at)}` },
          };
    made.push(liveCall({ at, atMs: beganMs + at * 900, trunk: `trunk-${String(campaign)}`, ...call }).record);
  }
  return made;
}

/** What is done to the process after a batch. */
type Blow = 'SIGKILL' | 'SIGTERM' | undefined;

/** Sends the records to a platform that is ended after some batches, and started again. */
async function run(blowAfter: (batch: number) => Blow) {
  await using folder = await createTemporaryDirectory();
  const directory = join(folder.path, 'platform');
  const webhooks = { dangerouslyAllowPrivateAddresses: true };
  const target: { port: number | undefined } = { port: undefined };
  const figures = { kills: 0, terms: 0, startsWarming: 0 };
  let victim: Victim | undefined;
  const start = async (): Promise<void> => {
    victim = startVictim({ directory, publicUrl: PLATFORM_URL, webhooks });
    target.port = await victim.open;
    if (target.port === undefined) throw new Error('the platform did not start');
    const ready = await fetch(`http://127.0.0.1:${target.port}/readyz`);
    expect(ready.status).toBe(200);
    if ((await ready.text()).includes('detector: warming')) figures.startsWarming += 1;
  };
  const end = async (blow: NonNullable<Blow>): Promise<void> => {
    target.port = undefined;
    const { child, ended } = victim!;
    child.kill(blow);
    const [code] = (await ended) as [number | null];
    if (blow === 'SIGTERM') expect(code).toBe(0);
    figures[blow === 'SIGTERM' ? 'terms' : 'kills'] += 1;
  };
  try {
    await start();
    const parties = await registerParties({
      ...{ fetch: fetchTo(() => target.port), operatorKeyFile: join(directory, 'keys', 'operator.pem') },
      webhookUrl: 'https://127.0.0.1:9/hook',
    });
    const all = records();
    for (let batch = 0; batch * BATCH < all.length; batch += 1) {
      await sent(parties, all.slice(batch * BATCH, batch * BATCH + BATCH));
      const blow = blowAfter(batch);
      if (blow === undefined) continue;
      await end(blow);
      await start();
    }
    await expect
      .poll(async () => (await outcomeOf(parties)).campaigns.map(({ observedCalls }) => observedCalls), {
        ...{ timeout: 120_000, interval: LOOK_MS },
      })
      .toEqual(Array.from({ length: CAMPAIGNS }, () => CALLS));
    await expect
      .poll(async () => (await outcomeOf(parties)).alerts.length, { timeout: 120_000, interval: LOOK_MS })
      .toBeGreaterThanOrEqual(2 * CAMPAIGNS);
    // Campaigns and alerts are without what is made anew each time.
    return { outcome: await outcomeOf(parties), figures };
  } finally {
    victim?.child.kill('SIGKILL');
  }
}

async function sent({ carriers }: PlatformParties, some: readonly SharedRecord[]): Promise<void> {
  const text = some.map((record) => `${JSON.stringify(record)}\n`).join('');
  const result = await carriers[0].transport.deliver(
    {
      ...{ id: hash('sha256', text, 'hex').slice(0, 32), source: '/prv-a', type: RECORD_BATCH_TYPE },
      ...{ timeMs: Date.now(), count: some.length, encoding: 'gzip', body: gzipSync(text) },
    },
    AbortSignal.timeout(60_000),
  );
  expect(result).toMatchObject({ status: 'acknowledged', rejected: [] });
}

async function outcomeOf({ staff, agency }: PlatformParties) {
  const { items } = await staff.campaigns.list({});
  const names = new Map(items.map(({ campaignId, signers }) => [campaignId, signers?.[0]?.spc ?? '']));
  const alerts = (await agency.alerts.list({})).items.map(({ kind, campaignId = '' }) => [kind, names.get(campaignId)]);
  return {
    campaigns: items
      .map(({ signers, observedCalls, state }) => ({ signers, observedCalls, state }))
      .toSorted((a, b) => ((a.signers?.[0]?.spc ?? '') < (b.signers?.[0]?.spc ?? '') ? -1 : 1)),
    alerts: alerts.map((alert) => alert.join(' ')).toSorted(),
  };
}

test(
  `a platform killed or ended ${ROUNDS} times while campaigns call finds those of one that ran through, and alerts of them once`,
  { timeout: PATIENCE_MS },
  async () => {
    const seed = Date.now() % 1_000_000;
    const random = new SeededRandom(seed);
    const undisturbed = await run(() => undefined);
    const batches = Math.ceil((CALLS * CAMPAIGNS * 2) / BATCH);
    let done = 0;
    const totals = { kills: 0, terms: 0, startsWarming: 0 };
    for (let round = 0; done < ROUNDS; round += 1) {
      // In order first, so that the next start has a snapshot to go on from.
      const blows = new Map<number, Blow>();
      for (let one = 0; one < 3 && done + blows.size < ROUNDS; one += 1)
        blows.set(random.int(batches), one === 0 ? 'SIGTERM' : 'SIGKILL');
      const { outcome, figures } = await run((batch) => blows.get(batch));
      expect(outcome).toEqual(undisturbed.outcome);
      done += blows.size;
      for (const name of ['kills', 'terms', 'startsWarming'] as const) totals[name] += figures[name];
      tellRound(round, Math.ceil(ROUNDS / 3));
    }
    reportFault('itg-detector-kill', { seed, rounds: done, ...totals, campaigns: CAMPAIGNS, lost: 0, doubled: 0 });
  },
);
