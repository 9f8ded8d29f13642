import { sql } from 'kysely';
import { expect, test } from 'vitest';
import type { Reaction } from '../../harness/src/platform/core/index.js';
import { EventFeed, startReactionRunner, type OpenedDatabase } from '../../harness/src/platform/database/index.js';
import type { CoreWorkTables } from '../../harness/src/platform/database/migrate.js';
import { createTestContext, type TestContext } from './itg-context.js';

const approved = (id: string) => ({ type: 'demand.approved', subject: id, data: { demandId: id } }) as const;

/** Announces an event in a transaction of its own. */
const announced = (context: TestContext, id: string): Promise<void> =>
  context.transact((transaction) => context.announce(transaction, approved(id)));

const reacted = (area: string, object: string) => ({
  ...{ action: `${area}.reacted`, organizationId: 'o', actor: 'platform', object },
});

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
  type Check = (context: TestContext, feed: EventFeed, opened: OpenedDatabase) => Promise<void>;
  const claim = (name: string, check: Check): void =>
    test(`${engine}: ${name}`, async () => {
      await using database = await open();
      const context = createTestContext({ database });
      await using feed = new EventFeed(database, { clock: context.clock });
      await check(context, feed, database);
    });

  claim('writers at once commit out of order, and a reader skips none of their events', async (context, feed) => {
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

  claim('a commit wakes a waiting reader, which finds the events of one organization', async (context, feed) => {
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

  claim('each area reacts once and in order, also when its runner ends in the middle', async (context, feed) => {
    const done: string[] = [];
    const area = (name: string) => {
      const reaction: Reaction = async (transaction, { subject }) => {
        await context.audit(transaction, reacted(name, subject));
        done.push(`${name}:${subject}`);
      };
      return { name, reactions: { 'demand.approved': reaction } };
    };
    const areas = [area('one'), area('two'), { name: 'idle', reactions: {} }];
    for (let round = 0; round < 5; round += 1) {
      await using runner = startReactionRunner({ context, feed, areas });
      for (let count = 0; count < 10; count += 1) await announced(context, `d-${round}-${count}`);
      // The first rounds end somewhere in the middle.
      if (round === 4) await whileMoving(context, runner.caughtUp());
    }
    const audited = await context.audited();
    for (const name of ['one', 'two']) {
      const subjects = audited.filter(({ action }) => action === `${name}.reacted`).map(({ object }) => object);
      const expected = Array.from({ length: 50 }, (_, at) => `d-${Math.floor(at / 10)}-${at % 10}`);
      expect(subjects).toEqual(expected);
    }
    expect(done).toHaveLength(100);
  });

  claim(
    'an event whose reaction fails, at once or as it commits, is set aside with an audit entry, and the others go on',
    async (context, feed, { database }) => {
      await sql`create table later_refused_by (id int primary key)`.execute(database);
      await sql`create table later_refused (
      id int primary key references later_refused_by (id) deferrable initially deferred)`.execute(database);
      let failures = 0;
      const reaction: Reaction = async (transaction, { subject }) => {
        if (subject === 'at once') {
          failures += 1;
          throw new TypeError('no such 12155550112');
        }
        if (subject === 'late') await sql`insert into later_refused values (1)`.execute(transaction);
        await context.audit(transaction, reacted('one', subject));
      };
      for (const id of ['a', 'at once', 'b', 'late', 'c']) await announced(context, id);
      const areas = [{ name: 'one', reactions: { 'demand.approved': reaction } }];
      await using runner = startReactionRunner({ context, feed, areas });
      await whileMoving(context, runner.caughtUp());
      expect(failures).toBe(5);
      expect(runner.counts()).toMatchObject([{ area: 'one', reacted: 3, failed: 10, setAside: 2 }]);
      const aside = { action: 'reaction.set-aside', details: { area: 'one', attempts: 5 } };
      expect(await context.audited()).toMatchObject([
        ...[reacted('one', 'a'), { ...aside, details: { ...aside.details, reason: 'TypeError' } }],
        ...[reacted('one', 'b'), aside, reacted('one', 'c')],
      ]);
      const tables = database.withTables<CoreWorkTables>();
      const rows = await tables.selectFrom('core_set_aside').selectAll().execute();
      expect(rows).toMatchObject([{ area: 'one', type: 'demand.approved', reason: 'TypeError' }, { area: 'one' }]);
      expect(JSON.stringify([rows, context.logged])).not.toContain('5550112');
    },
  );
}
