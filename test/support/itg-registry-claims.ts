import { sql } from 'kysely';
import { expect } from 'vitest';
import type { ProblemCode } from '../../sdk/src/platform/index.js';
import type { RequestOutcome } from '../../harness/src/platform/core/index.js';
import { createProvidersArea, type ProvidersArea } from '../../harness/src/platform/providers/providers-area.js';
import { providersDefinition } from '../../harness/src/platform/providers/provider-tables.js';
import { TEST_NOW_MS } from '../../sdk/src/testing/manual-clock.js';
import { createTestCalls, STAFF, type Json } from './itg-calls.js';
import { createTestContext } from './itg-context.js';
import { openTestDatabase, type TestServer } from './itg-database.js';
import type { OpenedDatabase } from '../../harness/src/platform/database/index.js';

/** The registry on a database of its own, with outcomes that a test sets. */
export async function openRegistry(server?: TestServer) {
  const database: OpenedDatabase = await openTestDatabase({
    definitions: [providersDefinition],
    ...(server !== undefined && { server }),
  });
  const context = createTestContext({ database });
  const outcomes: RequestOutcome[] = [];
  const clients = new Set<string>();
  const area: ProvidersArea = createProvidersArea(context, {
    desk: {
      requestOutcomes: async function* (_reading, { fromMs, toMs, providerId }) {
        yield* outcomes.filter(
          (one) =>
            one.issuedAtMs >= fromMs &&
            one.issuedAtMs < toMs &&
            (providerId === undefined || one.providerId === providerId),
        );
      },
    },
    hasClient: async (_reading, ids) => new Set(ids.filter((id) => clients.has(id))),
  });
  /** As it was when it was opened: a database for each test would take longer than the tests. */
  const reset = async (): Promise<void> => {
    await sql`truncate providers_entries, providers_codes, providers_history, providers_keys, providers_imports,
      providers_contests, providers_outages, core_audit, core_events`.execute(database.database);
    outcomes.length = 0;
    clients.clear();
    context.clock.set(TEST_NOW_MS);
  };
  return { database, context, outcomes, clients, area, reset, calls: createTestCalls(area, context.clock.nowMs) };
}

export type OpenedRegistry = Awaited<ReturnType<typeof openRegistry>>;

const HEADER =
  'business_name,frn,previous_business_names,business_address,other_dba_names,foreign_voice_service_provider,implementation,voice_service_provider,gateway_provider,non_gateway_intermediate_provider,robocall_mitigation_contact_name,robocall_mitigation_contact_title,robocall_mitigation_contact_department,robocall_mitigation_contact_business_address,robocall_mitigation_contact_telephone_number,last_updated';

/** A file in the layout of the Robocall Mitigation Database with so many filers. */
export function filingsCsv(
  filers: number,
  changed: (index: number) => string = () => 'Complete STIR/SHAKEN Implementation',
): string {
  const lines = Array.from({ length: filers }, (_, index) =>
    [
      `"Filer ${index}, LLC"`,
      String(index + 1).padStart(10, '0'),
      index % 3 === 0 ? `"Old Filer ${index} Inc.; Older Filer ${index}"` : '',
      `"${index} Example Street${index % 5 === 0 ? '\n' : ', '}New York, NY 10001"`,
      index % 4 === 0 ? `Filer${index}Talk` : '',
      'No',
      changed(index),
      'Yes',
      index % 9 === 0 ? 'Yes' : 'No',
      'No',
      `Person ${index}`,
      'Engineer',
      '',
      `${index} Example Street`,
      '+1 202 555 0100',
      '2026-09-14 10:11:12',
    ].join(','),
  );
  return [HEADER, ...lines, ''].join('\r\n');
}

/** What holds on every engine: a registry is imported, changed, found in, and counted. */
export async function registryClaims(registry: OpenedRegistry): Promise<void> {
  const { calls, area, context, clients } = registry;
  const first = await calls.post(STAFF, '/v1/registry/imports', { csv: filingsCsv(300), source: 'RMD' });
  expect(first).toMatchObject({ lines: 300, added: 300, changed: 0, unchanged: 0, rejected: 0, missing: 0 });
  context.clock.advance(1_000);
  const again = await calls.post(STAFF, '/v1/registry/imports', { csv: filingsCsv(300), source: 'RMD' });
  expect(again).toMatchObject({ added: 0, changed: 0, unchanged: 300 });
  const partly = filingsCsv(250, (index) => (index < 10 ? 'Partial' : 'Complete'));
  expect(await calls.post(STAFF, '/v1/registry/imports', { csv: partly, source: 'RMD' })).toMatchObject({
    ...{ added: 0, changed: 10, unchanged: 240, missing: 50 },
  });
  const versions = await calls.get(STAFF, '/v1/registry/providers/prv-0000000003/versions');
  expect(versions.items.map((one: Json) => [one.entry.implementation, one.to])).toEqual([
    ['partial', undefined],
    ['complete', versions.items[0].from],
  ]);
  expect((await calls.get(STAFF, '/v1/registry/imports')).items).toHaveLength(3);

  const found = await calls.get(STAFF, '/v1/providers?name=filer%2012&limit=5');
  expect(found.items.map((one: Json) => one.businessName)).toEqual([
    'Filer 12, LLC',
    'Filer 120, LLC',
    'Filer 121, LLC',
    'Filer 122, LLC',
    'Filer 123, LLC',
  ]);
  const next = await calls.get(STAFF, `/v1/providers?name=filer%2012&limit=5&cursor=${found.nextCursor}`);
  expect(next.items[0].businessName).toBe('Filer 124, LLC');
  expect((await calls.get(STAFF, '/v1/providers?name=100%25')).items).toEqual([]);

  await calls.post(STAFF, '/v1/registry/providers/prv-0000000008/office', {
    zone: 'America/Chicago',
    ocns: ['903C'],
    spcs: ['903C', '77AB'],
  });
  expect((await calls.get(STAFF, '/v1/providers?ocn=903C')).items).toHaveLength(1);
  const { database } = context;
  const resolved = async (reference: Parameters<typeof area.directory.resolve>[1]) => {
    const given = await area.directory.resolve(database, reference);
    return given.status === 'found' ? given.provider.entry.providerId : given.status;
  };
  expect(await resolved({ name: 'FILER 7 L.L.C.' })).toBe('prv-0000000008');
  expect(await resolved({ name: 'Whoever', spc: '77AB' })).toBe('prv-0000000008');
  expect(await resolved({ name: 'Filer 7, LLC', ocn: '1234' })).toBe('several');
  expect(await resolved({ name: 'Filer 9, LLC', frn: '0000000008' })).toBe('several');
  expect(await resolved({ name: 'Nobody Inc.' })).toBe('unlisted');
  expect(await resolved({ name: 'x', providerId: 'prv-0000000008', frn: '0000000009' })).toBe('several');
  clients.add('prv-0000000008');
  expect(await area.directory.provider(database, 'prv-0000000008')).toMatchObject({
    zone: 'America/Chicago',
    isReachable: true,
  });
  expect(await area.directory.provider(database, 'prv-0000000009')).toMatchObject({
    zone: 'America/New_York',
    isReachable: false,
  });
}

/** Answers to wrong calls, by the call. */
export const WRONG_CALLS: readonly (readonly [string, unknown, ProblemCode])[] = [
  ['/v1/registry/imports', { csv: 'frn\n1', source: 'x' }, 'invalid-body'],
  ['/v1/registry/imports', { csv: '"', source: 'x' }, 'invalid-body'],
  ['/v1/registry/providers/prv-none/office', { zone: 'UTC' }, 'not-found'],
  ['/v1/registry/providers/prv-none/office', { zone: 'Mars/Olympus' }, 'invalid-body'],
  ['/v1/registry/providers/prv-none/removal', { removedOn: '2026-01-01', reason: 'x' }, 'not-found'],
  ['/v1/registry/providers/prv-none/answer-keys', { jwk: { kty: 'RSA' } }, 'invalid-body'],
  ['/v1/outages', { from: '2026-01-02T00:00:00Z', to: '2026-01-01T00:00:00Z', reason: 'x' }, 'invalid-body'],
];
