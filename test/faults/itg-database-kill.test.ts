import { expect, test } from 'vitest';
import { faultCount, reportFault } from '../support/fault-counts.js';
import { killedWriters } from '../support/itg-killed-writers.js';
import { describePeer, peer } from '../peers.js';
import { startPostgres } from '../peers/postgres/start-postgres.js';

const KILLS = faultCount({ short: 10, full: 100 });

test(
  `PGlite: a platform killed ${KILLS} times while it writes: every acknowledged change is there with its audit, event and leaf`,
  { timeout: 60_000 + 20_000 * KILLS },
  async () => {
    const killed = await killedWriters({ rounds: KILLS, place: (folder) => ({ directory: `${folder}/database` }) });
    expect(killed.present).toBeGreaterThanOrEqual(killed.acknowledged);
    reportFault('itg-kill-pglite', { kills: KILLS, ...killed, lost: 0 });
  },
);

describePeer('postgres', 'PostgreSQL', () => {
  test(
    `PostgreSQL: platform and server killed ${KILLS} times: every acknowledged change is there with its audit, event and leaf`,
    { timeout: 60_000 + 20_000 * KILLS },
    async () => {
      await using server = await startPostgres(peer('postgres').path);
      const url = `postgres://${server.user}@/${server.database}?host=${encodeURIComponent(server.host)}&port=${server.port}`;
      let serverKills = 0;
      const killed = await killedWriters({
        rounds: KILLS,
        place: () => ({ url }),
        disturb: async (round) => {
          if (round % 2 === 1) return;
          serverKills += 1;
          await server.killed();
          await server.started();
        },
      });
      expect(killed.present).toBeGreaterThanOrEqual(killed.acknowledged);
      reportFault('itg-kill-postgres', { kills: KILLS, serverKills, ...killed, lost: 0 });
    },
  );
});
