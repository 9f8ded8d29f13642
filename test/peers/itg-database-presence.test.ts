import { expect, test } from 'vitest';
import { createPresence, migratePlatform, openPlatformDatabase } from '../../harness/src/platform/database/index.js';
import { createKeyedTransactions, httpDefinition } from '../../harness/src/platform/http/idempotency.js';
import { jsonAnswer } from '../../sdk/src/platform/index.js';
import { describePeer, peer } from '../peers.js';
import { createTestContext } from '../support/itg-context.js';
import { newDatabase } from '../support/itg-database.js';
import { startPostgres } from './postgres/start-postgres.js';

describePeer('postgres', 'PostgreSQL', () => {
  test('a call that a living process carries out is waited for, and one of a process that has ended is carried out', async () => {
    await using server = await startPostgres(peer('postgres').path);
    const url = await newDatabase(server);
    await using one = await openPlatformDatabase({ url });
    await using other = await openPlatformDatabase({ url });
    await migratePlatform(one, [httpDefinition]);
    const [here, there] = [createTestContext({ database: one }), createTestContext({ database: other })];
    const presence = createPresence(one, here.newId('process'));
    const first = createKeyedTransactions(here, presence);
    const second = createKeyedTransactions(there, createPresence(other, there.newId('process')));
    const call = {
      ...{ clientId: 'c-1', organizationId: 'o-1', key: 'k-1', target: 'POST /v1/demands' },
      ...{ bytes: Buffer.from('{}'), nowMs: here.clock.nowMs() },
    };
    const work = (by: typeof first) => () =>
      by.context.transact(async (transaction) => {
        const entry = { action: 'worked', organizationId: 'o-1', actor: 'c-1', object: 'x' };
        await here.audit(transaction, entry);
        return jsonAnswer({});
      });
    let hangs: () => void = () => undefined;
    let letGo: () => void = () => undefined;
    const isHanging = new Promise<void>((resolve) => (hangs = resolve));
    const dying = first.store.once(call, async () => {
      hangs();
      await new Promise<void>((resolve) => (letGo = resolve));
      return work(first)();
    });
    await isHanging;
    expect(await second.store.once(call, work(second))).toMatchObject({ code: 'idempotency-in-progress' });
    // As its connection does when the process dies; the server takes a moment to see it.
    await presence.close();
    await expect.poll(() => second.store.once(call, work(second)), { timeout: 60_000 }).toMatchObject({ kind: 'json' });
    letGo();
    await expect(dying).rejects.toMatchObject({ code: 'unavailable' });
    expect((await here.audited()).map(({ action }) => action).filter((action) => action === 'worked')).toHaveLength(1);
  });
});
