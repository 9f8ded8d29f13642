import { hash } from 'node:crypto';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sealJson } from '../../harness/src/platform/database/index.js';
import type { Demand, DemandSubmission } from '../../sdk/src/platform/index.js';
import { createManualClock, type ManualClock } from '../../sdk/src/testing/manual-clock.js';
import { demandForm, smallPdf, SUBMISSION } from '../support/itg-demands.js';
import { startReferenceLab, type ReferenceLab } from '../support/itg-reference.js';
import type { TestMember } from '../support/itg-platform.js';

const START = Date.parse('2026-10-25T12:00:00Z');
/** As many as the job of holds once looked at in one round. */
const REVERSED_DEMANDS = 50;
const BOTH_DATES = /2026-10-24T00:00:00Z.*2026-10-19T00:00:00Z/;
const REVERSED = { ...SUBMISSION.scope, from: '2026-10-24T00:00:00Z', to: '2026-10-19T00:00:00Z' };

let lab: ReferenceLab;
let clock: ManualClock;
let attacker: TestMember;
let other: TestMember;
beforeAll(async () => {
  clock = createManualClock(START);
  lab = await startReferenceLab({ clock });
  attacker = await lab.join('agency', 'ag-tx');
  other = await lab.join('agency', 'ag-oh', { jurisdiction: 'US-OH' });
}, 120_000);
afterAll(() => lab[Symbol.asyncDispose]());

let keys = 0;

/** Sends a demand as it would come from any HTTP client. */
async function submit(member: TestMember, changes: Partial<DemandSubmission> = {}): Promise<Response> {
  keys += 1;
  return fetch(`${lab.platform.url}/v1/demands`, {
    method: 'POST',
    headers: { authorization: `Bearer ${await lab.token(member)}`, 'idempotency-key': `holds-${keys}` },
    body: demandForm({ ...SUBMISSION, ...changes }),
  });
}

async function submitted(member: TestMember, changes?: Partial<DemandSubmission>): Promise<string> {
  const response = await submit(member, changes);
  expect(response.status).toBe(201);
  return ((await response.json()) as Demand).demandId;
}

/** Stores a reversed scope in the place of the one that was submitted, as an older release did. */
async function reverse(demandIds: readonly string[]): Promise<void> {
  const { context } = lab.platform;
  await context.transact(async (transaction) => {
    for (const demandId of demandIds) {
      const belongsTo = `demand:${demandId}`;
      const scope = await sealJson(context, transaction, { value: REVERSED, belongsTo });
      const value = { ...SUBMISSION, scope: REVERSED, documentSha256: hash('sha256', smallPdf(), 'hex') };
      const submission = await sealJson(context, transaction, { value, belongsTo });
      await sql`update demands_holds set scope = ${JSON.stringify(scope)}::jsonb, placed_at_ms = null,
        from_ms = ${Date.parse(REVERSED.from)}, to_ms = ${Date.parse(REVERSED.to)}
        where demand_id = ${demandId}`.execute(transaction);
      await sql`update demands_demands set submission = ${JSON.stringify(submission)}::jsonb
        where demand_id = ${demandId}`.execute(transaction);
    }
  });
}

async function query<Row>(text: string): Promise<readonly Row[]> {
  return (await sql.raw<Row>(text).execute(lab.platform.context.database)).rows;
}

/** Ids of demands whose hold is in force in the store of live records. */
async function heldLive(): Promise<readonly string[]> {
  const rows = await query<{ id: string }>('select hold_id as id from records_holds where released_at_ms is null');
  return rows.map(({ id }) => id.split('/')[0] ?? '');
}

const eventsOf = (type: string) =>
  query<{ readonly audience: readonly string[]; readonly data: unknown }>(
    `select audience, data from core_events where type = 'org.hopback.${type}.1'`,
  );

const runHolds = (): Promise<void> => lab.runJob('demands.holds').catch(() => undefined);

test('a stored demand whose scope is reversed keeps no other hold waiting', { timeout: 180_000 }, async () => {
  const reversed: string[] = [];
  for (let count = 0; count < REVERSED_DEMANDS; count += 1) reversed.push(await submitted(attacker));
  await reverse(reversed);
  const demandId = await submitted(other);
  await runHolds();
  expect(await heldLive()).toContain(demandId);
  for (const id of reversed) expect(await heldLive()).not.toContain(id);
  await runHolds();
  const audit = () => query('select position from core_audit order by position');
  const before = await audit();
  for (let round = 0; round < 5; round += 1) await runHolds();
  expect(await audit()).toEqual(before);
  // Agency and staff get the reason: with the decision, by stream and webhook.
  const agency = await lab.token(attacker);
  for (const id of reversed) {
    const { value } = await lab.call(agency, 'GET', `/v1/demands/${id}`);
    const { state, decisions } = value as Demand;
    expect(state).toBe('rejected');
    expect(decisions.at(-1)).toMatchObject({ decision: 'reject', reason: expect.stringMatching(BOTH_DATES) });
  }
  const rows = await eventsOf('demand.decided');
  expect(rows).toHaveLength(REVERSED_DEMANDS);
  for (const { audience, data } of rows) {
    expect(audience).toEqual(['ag-tx', 'itg']);
    expect(JSON.stringify(data)).toMatch(BOTH_DATES);
  }
});

test('a scope that does not end later than it begins is refused with 422 and both dates, in a demand and in a decision', async () => {
  const demandId = await submitted(attacker);
  const reviewer = await lab.token(lab.operator);
  const { to } = REVERSED;
  for (const scope of [REVERSED, { ...REVERSED, from: to }, { ...REVERSED, from: `${to.slice(0, -1)}.0004Z`, to }]) {
    const demand = await submit(attacker, { scope });
    expect(demand.status).toBe(422);
    const body = { decision: 'narrow', reason: 'Less.', scope };
    const path = `/v1/demands/${demandId}/decisions`;
    keys += 1;
    const decision = await lab.call(reviewer, 'POST', path, { body, key: `holds-${keys}` });
    expect(decision.status).toBe(422);
    for (const problem of [await demand.json(), decision.value])
      expect(problem).toMatchObject({
        code: 'scope-unusable',
        detail: expect.stringContaining(`begins at ${scope.from} and ends at ${to}`) as string,
      });
  }
});

test('an agency and staff receive an event about a hold that was set aside', { timeout: 60_000 }, async () => {
  const { context } = lab.platform;
  const fault = { subject: 'demand:d-9', fault: 'demands.holds', title: 'T', summary: 'S' };
  await context.transact((transaction) =>
    context.announce(transaction, {
      ...{ type: 'platform.fault', subject: 'demand:d-9', data: { ...fault, organizationId: 'ag-tx' } },
    }),
  );
  await lab.platform.caughtUp();
  expect(await eventsOf('platform.fault')).toEqual([{ audience: ['itg', 'ag-tx'], data: fault }]);
});

test('a hold over all years that can be written is placed', async () => {
  const scope = { ...SUBMISSION.scope, from: '0000-01-01T00:00:00Z', to: '9999-12-31T23:59:59Z' };
  const demandId = await submitted(other, { scope });
  await runHolds();
  expect(await heldLive()).toContain(demandId);
});
