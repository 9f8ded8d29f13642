import { expect, test } from 'vitest';
import { scopeMatches } from '../../harness/src/platform/domain/demands/scope.js';
import { compareProviders } from '../../sdk/src/contract/same-provider.js';
import { TrunkDirectory } from '../../sdk/src/traceback/index.js';

const directory = new TrunkDirectory({ directoryId: 'd', entries: [], providers: [] });
const DAY = { from: '2026-10-01T00:00:00Z', to: '2026-10-02T00:00:00Z' } as const;
const AT_MS = Date.parse('2026-10-01T12:00:00Z');

test.each([
  [{ name: 'Example Télécom, L.L.C.' }, { name: 'EXAMPLE TELECOM LLC' }, 'same-name'],
  [{ name: 'A', ocn: '1234' }, { name: 'B', spc: '1234' }, 'same-identifier'],
  [{ name: 'A', ocn: '1234', spc: '5678' }, { name: 'B', ocn: '4321', spc: '5678' }, 'same-identifier'],
  [{ name: 'A', providerId: 'p1', ocn: '1234' }, { name: 'A', providerId: 'p2', ocn: '1234' }, 'different'],
  [{ name: 'A', frn: '0000000001' }, { name: 'A', frn: '0000000002' }, 'different'],
  [
    { name: 'A', providerId: 'p1', frn: '0000000001' },
    { name: 'A', providerId: 'p1', frn: '0000000002' },
    'same-identifier',
  ],
  [{ name: 'A', ocn: '1234' }, { name: 'A' }, 'same-name'],
  [{ name: 'A', ocn: '1234' }, { name: 'A', ocn: '4321' }, 'undecided'],
  [{ name: 'A', ocn: '1234' }, { name: 'A', spc: '4321' }, 'undecided'],
  [{ name: 'Example LLC' }, { name: 'Example Inc.' }, 'undecided'],
  [{ name: '' }, { name: '' }, 'undecided'],
] as const)('%j and %j: %s, for the directory and demands as well', (one, other, comparison) => {
  expect([compareProviders(one, other), compareProviders(other, one)]).toEqual([comparison, comparison]);
  expect(directory.isSame(one, other)).toBe(comparison.startsWith('same'));
  // A demand names a provider by an identifier and never by its name.
  const item = {
    recordClass: 'call-records',
    fromMs: AT_MS,
    toMs: AT_MS,
    calling: [],
    called: [],
    campaignIds: [],
  } as const;
  const reached = scopeMatches(
    { ...DAY, recordClasses: ['call-records'], providers: [one] },
    { ...item, tracebackIds: [], providers: [other] },
  );
  expect(reached).toBe(comparison === 'same-identifier');
});
