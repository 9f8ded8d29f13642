import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { createEventFeed, startReactionRunner } from '../../harness/src/platform/database/index.js';
import type { OpenedDatabase } from '../../harness/src/platform/database/index.js';
import type { CoreWorkTables } from '../../harness/src/platform/database/migrate.js';
import { createTestContext, type TestContext } from './itg-context.js';

const approved = (id: string) => ({ type: 'demand.approved', subject: id, data: { demandId: id } }) as const;

/** Announces an event in a transaction of its own. */
export const announced = (context: TestContext, id: string): Promise<void> =>
  context.transact((transaction) => context.announce(transaction, approved(id)));

/** Moves the clock until something is done: pauses between attempts are by the clock. */
async function whileMoving<Result>(context: TestContext, work: Promise<Result>): Promise<Result> {
  const ended = new AbortController();
  const done = work.finally(() => ended.abort());
  while (!ended.signal.aborted) {
    context.clock.advance(200);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return done;
}

/** What events and reactions promise on every engine. Each test has a database of its own. */
export function eventClaims(engine: string, open: () => Promise<OpenedDatabase>): void {
  test(`${engine}: writers at once commit out of order, and a reader steps over none of their events`, async () => {
    await using database = await open();
    const context = createTestContext({ database });
    await using feed = createEventFeed(database, { clock: context.clock });
    const [writers, each] = [8, 40];
    let isWriting = true;
    const seen: string[] = [];
    const reading = (async () => {
      for (let position = 0, isLast = false; ;) {
        const { events, throughPosition } = await feed.read(position, { limit: 7 });
        seen.push(...events.map(({ subject }) => subject));
        position = throughPosition;
        if (isLast && events.length === 0) return;
        isLast = !isWriting && events.length === 0;
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    await Promise.all(
      Array.from({ length: writers }, async (_, writer) => {
        for (let count = 0; count < each; count += 1) {
          await context.transact(async (transaction) => {
            await context.announce(transaction, approved(`${writer}-${count}-a`));
            // Holds its position while others commit theirs.
            if (count % 3 === writer % 3) await new Promise((resolve) => setTimeout(resolve, 1 + (count % 4)));
            await context.announce(transaction, approved(`${writer}-${count}-b`));
          });
        }
      }),
    );
    isWriting = false;
    await reading;
    expect(seen).toHaveLength(writers * each * 2);
    expect(new Set(seen).size).toBe(writers * each * 2);
    for (let writer = 0; writer < writers; writer += 1) {
      const own = seen.filter((subject) => subject.startsWith(`${writer}-`));
      const expected = Array.from({ length: each }, (_, count) => [`${writer}-${count}-a`, `${writer}-${count}-b`]);
      expect(own).toEqual(expected.flat());
    }
  });

  test(`${engine}: who waits for events is woken by a commit, and those of an organization are found`, async () => {
    await using database = await open();
    const context = createTestContext({ database });
    await using feed = createEventFeed(database, { clock: context.clock });
    const waiting = feed.wait(0);
    await context.transact(async (transaction) => {
      await context.announce(transaction, approved('d-1'));
      await context.tell(transaction, {
        ...{ type: 'org.hopback.notice.issued.1', subject: 'n-1', to: ['p-1', 'p-2', 'p-1'] },
        data: {} as never,
      });
    });
    expect(await waiting).toBe(true);
    const newest = await feed.newestPosition();
    const [all, own, none] = await Promise.all([
      feed.read(0),
      feed.read(0, { organizationId: 'p-2' }),
      feed.read(0, { organizationId: 'p-3' }),
    ]);
    expect(all.events.map(({ audience }) => audience)).toEqual([[], ['p-1', 'p-2']]);
    expect(own.events.map(({ subject }) => subject)).toEqual(['n-1']);
    expect(none).toEqual({ events: [], throughPosition: newest });
    const timed = feed.wait(newest, { timeoutMs: 5_000 });
    context.clock.advance(5_000);
    expect(await timed).toBe(false);
  });

  test(`${engine}: each area reacts once and in order, also when its runner ends in the middle`, async () => {
    await using database = await open();
    const context = createTestContext({ database });
    await using feed = createEventFeed(database, { clock: context.clock });
    const done: string[] = [];
    const area = (name: string) => ({
      name,
      reactions: {
        'demand.approved': async (transaction: Parameters<typeof context.audit>[0], event: { subject: string }) => {
          await context.audit(transaction, {
            ...{ action: `${name}.reacted`, organizationId: 'o', actor: 'platform', object: event.subject },
          });
          done.push(`${name}:${event.subject}`);
        },
      },
    });
    const areas = [area('one'), area('two'), { name: 'idle', reactions: {} }];
    for (let round = 0; round < 5; round += 1) {
      await using runner = startReactionRunner({ context, feed, areas });
      for (let count = 0; count < 10; count += 1) await announced(context, `d-${round}-${count}`);
      // The first rounds end somewhere in the middle.
      if (round === 4) await whileMoving(context, runner.caughtUp());
    }
    const audited = await context.audited();
    for (const name of ['one', 'two']) {
      const reacted = audited.filter(({ action }) => action === `${name}.reacted`).map(({ object }) => object);
      const expected = Array.from({ length: 50 }, (_, at) => `d-${Math.floor(at / 10)}-${at % 10}`);
      expect(reacted).toEqual(expected);
    }
    expect(done).toHaveLength(100);
  });

  test(`${engine}: an event whose reaction fails as it commits is set aside, and those that came with it are reacted to`, async () => {
    await using database = await open();
    const context = createTestContext({ database });
    await sql`create table later_refused_by (id int primary key)`.execute(database.database);
    await sql`create table later_refused (
      id int primary key references later_refused_by (id) deferrable initially deferred)`.execute(database.database);
    await using feed = createEventFeed(database, { clock: context.clock });
    const reaction = async (
      transaction: Parameters<typeof context.audit>[0],
      { subject }: { subject: string },
    ): Promise<void> => {
      if (subject === 'bad') await sql`insert into later_refused values (1)`.execute(transaction);
      const entry = { action: 'one.reacted', organizationId: 'o', actor: 'platform', object: subject };
      await context.audit(transaction, entry);
    };
    for (const id of ['a', 'bad', 'b']) await announced(context, id);
    await using runner = startReactionRunner({
      ...{ context, feed },
      areas: [{ name: 'one', reactions: { 'demand.approved': reaction } }],
    });
    await whileMoving(context, runner.caughtUp());
    expect(await context.audited()).toMatchObject([
      { action: 'one.reacted', object: 'a' },
      { action: 'reaction.set-aside', details: { area: 'one', attempts: 5 } },
      { action: 'one.reacted', object: 'b' },
    ]);
  });

  test(`${engine}: an event that cannot be reacted to is set aside with an entry in the audit, and the others go on`, async () => {
    await using database = await open();
    const context = createTestContext({ database });
    await using feed = createEventFeed(database, { clock: context.clock });
    let failures = 0;
    const areas = [
      {
        name: 'one',
        reactions: {
          'demand.approved': async (
            transaction: Parameters<typeof context.audit>[0],
            { subject }: { subject: string },
          ) => {
            if (subject === 'bad') {
              failures += 1;
              throw new TypeError('no such 12155550112');
            }
            const entry = { action: 'one.reacted', organizationId: 'o', actor: 'platform', object: subject };
            await context.audit(transaction, entry);
          },
        },
      },
    ];
    for (const id of ['a', 'bad', 'b']) await announced(context, id);
    await using runner = startReactionRunner({ context, feed, areas });
    await whileMoving(context, runner.caughtUp());
    expect(failures).toBe(5);
    expect(runner.counts()).toMatchObject([{ area: 'one', reacted: 2, failed: 5, setAside: 1 }]);
    expect(await context.audited()).toMatchObject([
      { action: 'one.reacted', object: 'a' },
      { action: 'reaction.set-aside', details: { area: 'one', reason: 'TypeError', attempts: 5 } },
      { action: 'one.reacted', object: 'b' },
    ]);
    const aside = await database.database
      .withTables<CoreWorkTables>()
      .selectFrom('core_set_aside')
      .selectAll()
      .execute();
    expect(aside).toMatchObject([{ area: 'one', type: 'demand.approved', reason: 'TypeError' }]);
    expect(JSON.stringify([aside, context.logged])).not.toContain('5550112');
  });
}
