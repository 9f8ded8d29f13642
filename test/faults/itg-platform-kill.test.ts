import { expect, test } from 'vitest';
import { describePeer, peer } from '../peers.js';
import { startPostgres } from '../peers/postgres/start-postgres.js';
import { faultCount, reportFault } from '../support/fault-counts.js';
import { newDatabase } from '../support/itg-database.js';
import { lookThrough } from '../support/itg-platform-victim-audit.js';
import { killedPlatform, type KilledPlatform } from '../support/itg-platform-victim-rounds.js';

/** Ten in `npm test`, of which those of PGlite cost most: each start compiles it, and reads its log again. */
const ROUNDS = { pglite: faultCount({ short: 2, full: 100 }), postgres: faultCount({ short: 8, full: 100 }) };
/** For a test that hangs: a start takes seconds of a processor, and a minute where twenty others share it. */
const PATIENCE_MS = 900_000 + 30_000 * ROUNDS.postgres;

async function expectAll(
  fault: string,
  killed: KilledPlatform,
  { rounds, seed }: { readonly rounds: number; readonly seed: number },
): Promise<void> {
  const { figures } = killed;
  expect(killed.refusals).toEqual([]);
  const kinds = ['records', 'reports', 'tracebacks', 'answers', 'demands', 'decisions'];
  expect(kinds.filter((kind) => figures[kind] === 0)).toEqual([]);
  const looked = await lookThrough(killed);
  reportFault(fault, { seed, rounds, ...figures, ...looked, lost: 0, doubled: 0 });
}

test(
  `PGlite: a platform killed ${ROUNDS.pglite} times under load has everything that it acknowledged, once, and goes on with it`,
  { timeout: PATIENCE_MS },
  async () => {
    const plan = { rounds: ROUNDS.pglite, seed: Date.now() % 1_000_000 };
    await using killed = await killedPlatform(plan);
    await expectAll('itg-platform-kill-pglite', killed, plan);
  },
);

describePeer('postgres', 'PostgreSQL', () => {
  test(
    `PostgreSQL: platform, server or both killed ${ROUNDS.postgres} times under load: everything that was acknowledged is there, once, and goes on`,
    { timeout: PATIENCE_MS },
    async () => {
      await using server = await startPostgres(peer('postgres').path);
      const plan = { rounds: ROUNDS.postgres, seed: Date.now() % 1_000_000 };
      await using killed = await killedPlatform({ ...plan, server, database: { url: await newDatabase(server) } });
      await expectAll('itg-platform-kill-postgres', killed, plan);
    },
  );
});
