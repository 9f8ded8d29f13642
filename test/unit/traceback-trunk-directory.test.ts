import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { isHopbackError } from '../../sdk/src/errors.js';
import {
  checkTrunkDirectory,
  TrunkDirectory,
  readTrunkCsv,
  readTrunkDirectory,
} from '../../sdk/src/traceback/index.js';
import type { TrunkDirectoryData, TrunkEntry, TrunkParty } from '../../sdk/src/traceback/index.js';
import { thrownBy } from '../support/code-of.js';

const DAY_US = 86_400_000_000;
const MARCH_US = Date.UTC(2026, 2, 1) * 1_000;
const A: TrunkParty = { kind: 'provider', provider: { name: 'Example Telecom LLC', ocn: '0001' } };
const EXW = {
  provider: { name: 'Example Wholesale Inc', ocn: '0002', frn: '0000000002' },
  otherNames: ['EXW'],
};
const B: TrunkParty = { kind: 'provider', provider: EXW.provider };

const directoryOf = (entries: readonly TrunkEntry[], more: Partial<TrunkDirectoryData> = {}) =>
  new TrunkDirectory({ directoryId: 'd', providers: [], entries, ...more });

const HOUR_US = 3_600_000_000;
type Side = Parameters<ReturnType<typeof directoryOf>['lookUp']>[0];

/** The party that a directory names, as `A` or `B`, or the reason for which it names none. */
const named = (directory: ReturnType<typeof directoryOf>, side: Side, atUs = MARCH_US): unknown => {
  const found = directory.lookUp(side, atUs);
  if (found.status === 'unknown') return found.reason;
  return [A, B].find((party) => JSON.stringify(party) === JSON.stringify(found.party)) ?? found.party;
};

// That no party is named within the margin of a change is a property too: traceback-directory.test.ts.
test('the margin around a change of hands is an hour, unless the same party goes on without a break', () => {
  const atOffsets = (entries: readonly TrunkEntry[], offsets: readonly number[]): readonly unknown[] =>
    offsets.map((offsetUs) =>
      named(directoryOf(entries), { trunk: 'east-1', address: '192.0.2.1' }, MARCH_US + offsetUs),
    );
  const until = { trunk: 'east-1', untilUs: MARCH_US, party: A };
  const from = { trunk: 'east-1', fromUs: MARCH_US, party: A };
  const changing = 'changing-hands';
  expect(atOffsets([until, { ...from, party: B }], [-HOUR_US - 1, -HOUR_US, -1, 0, HOUR_US - 1, HOUR_US])).toEqual([
    A,
    changing,
    changing,
    changing,
    changing,
    B,
  ]);
  expect(atOffsets([from], [1, HOUR_US - 1, HOUR_US])).toEqual([changing, changing, A]);
  expect(atOffsets([until], [-1, -HOUR_US, -HOUR_US - 1])).toEqual([changing, changing, A]);
  expect(atOffsets([{ ...until, untilUs: MARCH_US - 1 }, from], [1])).toEqual([changing]);
  expect(atOffsets([until, from], [0])).toEqual([A]);
  expect(
    atOffsets(
      [
        { trunk: 'east-1', party: A },
        { ...from, address: '192.0.2.1' },
      ],
      [1],
    ),
  ).toEqual([A]);
});

test('a trunk that is listed for another time is not answered by its address', () => {
  const directory = directoryOf([
    { trunk: 'east-1', untilUs: MARCH_US, party: A },
    { address: '192.0.2.0/24', party: B },
  ]);
  const address = '192.0.2.9:5060';
  expect(named(directory, { trunk: 'east-1', address }, MARCH_US + DAY_US)).toBe('not-listed-then');
  expect(named(directory, { trunk: 'west-1', address })).toEqual(B);
});

test.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])(
  'a name that every object has is not a known trunk, address or provider: %s',
  (name) => {
    const directory = directoryOf([{ trunk: 'east-1', party: A }], { providers: [EXW] });
    expect(named(directory, { trunk: name, address: name, provider: name })).toBe('not-listed');
    expect(directory.isSame({ name, ocn: name }, EXW.provider)).toBe(false);
    expect(named(directoryOf([{ trunk: name, party: A }]), { trunk: name })).toEqual(A);
  },
);

test('an entry gets the codes under which the directory knows its provider', () => {
  const name = 'Example Wholesale, Inc.';
  const directory = directoryOf([{ trunk: 't', party: { kind: 'provider', provider: { name } } }], {
    providers: [EXW],
  });
  expect(directory.partyOf({ trunk: 't' }, 0)).toEqual({ kind: 'provider', provider: { ...EXW.provider, name } });
});

// What makes two references one provider is proved in same-provider.test.ts.
test.each([
  [{ name: 'Example Télécom, L.L.C.' }, { name: 'EXAMPLE TELECOM LLC' }, true],
  [{ name: 'A', frn: '0000000001', ocn: '0001' }, { name: 'A', frn: '0000000001', ocn: '0009' }, true],
  [{ name: 'Example LLC', ocn: '0001' }, { name: 'Example LLC', ocn: '0002' }, false],
  [{ name: 'Example Telecom' }, { name: 'Example Telecom of Ohio' }, false],
  [{ name: '??' }, { name: '??' }, false],
])('providers that no directory lists, %j and %j, are the same: %s', (one, other, same) => {
  const directory = directoryOf([]);
  expect(directory.isSame(one, other)).toBe(same);
  expect(directory.isSame(other, one)).toBe(same);
});

test('isSame knows other names, codes and affiliates, and refuses what they contradict', () => {
  const directory = directoryOf([], {
    providers: [
      {
        provider: { name: 'Example Telecom LLC', ocn: '0001', frn: '0000000001' },
        otherNames: ['ExTel'],
        otherOcns: ['0003'],
        affiliates: [{ name: 'Example Wireless Inc' }],
      },
      { provider: { name: 'Example Wireless Inc', ocn: '0004' } },
      { provider: { name: 'Stranger Inc', ocn: '0005' } },
    ],
  });
  expect(directory.isSame({ name: 'extel' }, { name: 'whatever', ocn: '0003' })).toBe(true);
  expect(directory.isSame({ name: 'extel' }, { name: 'Example Wireless, Incorporated' })).toBe(true);
  // The name of one beside the code of another.
  expect(directory.isSame({ name: 'Stranger Inc', ocn: '0001' }, { name: 'ExTel' })).toBe(false);
  expect(directory.isSame({ name: 'ExTel', frn: '0000000009' }, { name: 'ExTel' })).toBe(false);
  expect(directory.isSame({ name: 'ExTel' }, { name: 'Stranger Inc' })).toBe(false);
});

test('a provider is known that is listed, or that an entry names, and none that goes by names or codes of several', () => {
  const directory = directoryOf(
    [
      { trunk: 'east-1', party: A },
      { trunk: 'abroad-1', party: { kind: 'foreign-provider', contact: { name: 'Example Foreign', country: 'CA' } } },
      { trunk: 'pbx-9', party: { kind: 'customer', customerId: 'Customer Nine' } },
    ],
    {
      providers: [EXW, { provider: { name: 'Stranger Inc', ocn: '0005' } }],
    },
  );
  const known = (name: string, codes: { ocn?: string; spc?: string; frn?: string } = {}): boolean =>
    directory.knows({ name, ...codes });
  expect([known('exw'), known('whatever', { frn: '0000000002' }), known('EXAMPLE TELECOM, LLC')]).toEqual([
    true,
    true,
    true,
  ]);
  expect([known('whatever', { spc: '0001' }), known('Example Foreign')]).toEqual([true, true]);
  expect([known('Nobody Ltd'), known('Customer Nine'), known('??'), known('constructor')]).toEqual(
    Array(4).fill(false),
  );
  // Codes or a name of another beside it.
  expect([known('Example Telecom LLC', { ocn: '0009' }), known('Stranger Inc', { ocn: '0002' })]).toEqual([
    false,
    false,
  ]);
});

test('an affiliate counts as the downstream, and not as the party of a trunk', () => {
  const affiliated: Partial<TrunkDirectoryData> = {
    providers: [
      { provider: { name: 'Example Telecom LLC' }, affiliates: [{ name: 'Example Wholesale Inc' }] },
      { provider: { name: 'Example Wholesale Inc' } },
    ],
  };
  const directory = directoryOf(
    [
      { trunk: 't', party: A },
      { trunk: 't', party: B },
    ],
    affiliated,
  );
  expect(directory.isSame({ name: 'Example Telecom LLC' }, { name: 'Example Wholesale Inc' })).toBe(true);
  expect(directory.lookUp({ trunk: 't' }, 0)).toEqual({ status: 'unknown', reason: 'contradiction' });
});

test('the check lists contradictions, holes, nested networks, shared names and strangers', () => {
  const problems = checkTrunkDirectory({
    directoryId: 'd',
    providers: [
      { provider: { name: 'Example Telecom LLC', ocn: '0001' }, affiliates: [{ name: 'Nobody Ltd' }] },
      { provider: { name: 'Other Co', ocn: '0001' } },
    ],
    entries: [
      { trunk: 'east-1', untilUs: MARCH_US, party: A },
      { trunk: 'east-1', fromUs: MARCH_US - DAY_US, party: B },
      { trunk: 'west-1', untilUs: MARCH_US, party: B },
      { trunk: 'west-1', fromUs: MARCH_US + DAY_US, party: B },
      { address: '192.0.2.0/24', party: B },
      { address: '192.0.2.7', party: { kind: 'customer', customerId: 'C-7' } },
      { trunk: 'east-1', address: '198.51.100.1', fromUs: MARCH_US + DAY_US, party: B },
    ],
  });
  expect(problems.map(({ kind, at }) => [kind, at])).toEqual([
    ['contradiction', [0, 1]],
    ['hole', [2, 3]],
    ['contradiction', [4, 5]],
    ['shared-name', [0, 1]],
    ['unknown-affiliate', [0]],
    ['unclear-provider', [0]],
  ]);
  const entries = [
    { trunk: 'east-1', untilUs: MARCH_US, party: A },
    { trunk: 'east-1', fromUs: MARCH_US, party: B },
    { trunk: 'west-1', party: B },
  ];
  expect(checkTrunkDirectory({ directoryId: 'd', providers: [], entries })).toEqual([]);
});

test.each([
  ['no key', { party: A }, 'entries[0]'],
  ['a period that ends before it begins', { trunk: 't', fromUs: 2, untilUs: 2, party: A }, 'entries[0]'],
  ['host bits', { address: '192.0.2.7/24', party: A }, 'entries[0].address'],
])('an entry with %s is refused', (_claim, entry, member) => {
  const error = thrownBy(() => directoryOf([entry]));
  expect(isHopbackError(error) && [error.code, error.details]).toEqual(['invalid-configuration', { member }]);
});

test.each([
  [{ trunk: 't', from: '2026-03-01', customer: {} }, 'trunks[0].from'],
  [{ trunk: 't', provider: { name: 'x' }, customer: {} }, 'trunks[0]'],
  [{ trunk: 't', provider: { name: 'x', ocn: '12' } }, 'trunks[0].provider.ocn'],
  [{ trunk: 't', provdier: { name: 'x' } }, 'trunks[0].provdier'],
])('a written directory names the member that is wrong: %j', (entry, member) => {
  const error = thrownBy(() => readTrunkDirectory({ directoryId: 'd', trunks: [entry] }));
  expect(isHopbackError(error) && error.details).toEqual({ member });
});

test('a written directory takes days in its zone, and refuses an hour that comes twice', () => {
  const written = (period: object): object => ({
    directoryId: 'd',
    zone: 'America/New_York',
    trunks: [{ trunk: 't', ...period, foreignProvider: { name: 'X', country: 'CA' } }],
  });
  const data = readTrunkDirectory(written({ from: '2026-03-01', until: '2026-07-01T12:00:00-04:00' }));
  expect(data.entries[0]).toMatchObject({
    fromUs: Date.UTC(2026, 2, 1, 5) * 1_000,
    untilUs: Date.UTC(2026, 6, 1, 16) * 1_000,
  });
  const twice = written({ from: '2026-11-01T01:30:00' });
  expect(isHopbackError(thrownBy(() => readTrunkDirectory(twice)))).toBe(true);
});

/** Entries of one key and of several, and records with the party that they name, or the reason for which they name none. */
interface DirectoryVectors {
  readonly entries: readonly (Omit<TrunkEntry, 'party'> & { readonly party: 'A' | 'B' })[];
  readonly records: readonly (readonly [claim: string, side: Side, expected: string])[];
}
const { entries: ENTRIES, records: RECORDS } = JSON.parse(
  readFileSync(new URL('../vectors/directory/records.json', import.meta.url), 'utf8'),
) as DirectoryVectors;
const PARTIES: Readonly<Record<string, TrunkParty>> = { A, B };
const LISTED = directoryOf(
  ENTRIES.map((entry) => ({ ...entry, party: PARTIES[entry.party]! })),
  { providers: [EXW] },
);

test.each(RECORDS)('a record with %s', (_claim, side, expected) => {
  expect(named(LISTED, side)).toEqual(PARTIES[expected] ?? expected);
});

test('a look-up says by which keys it was answered', () => {
  const side = { trunk: 'b', address: '198.51.100.7' };
  expect(LISTED.lookUp(side, 0)).toMatchObject({ status: 'known', party: B, by: ['trunk', 'address'] });
});

test('CSV: every kind of party, and faults with line and column', () => {
  const good = readTrunkCsv(
    [
      'trunk,address,kind,name,ocn,country,customer_id,from',
      'east-1,,provider,"Example Telecom, LLC",0001,,,2026-03-01',
      ',192.0.2.0/24,foreign,Example Foreign,,CA,,',
      'pbx-9,,customer,,,,C-9,',
      'x,,unlisted,Example Reseller,,,,',
    ].join('\r\n'),
    { zone: 'America/New_York' },
  );
  expect(good.status === 'read' && good.entries.map(({ party }) => party.kind)).toEqual([
    'provider',
    'foreign-provider',
    'customer',
    'unlisted-provider',
  ]);
  const bad = readTrunkCsv(
    'trunk,kind,name,ocn\nt,provider,X,12\n,provider,X,0001\nt,provider,,\nt,carrier,X,0001\nt,x\n',
  );
  expect(bad.status === 'refused' && bad.faults.map(({ line, column }) => [line, column])).toEqual([
    [2, 'ocn'],
    [3, undefined],
    [4, 'name'],
    [5, 'kind'],
    [6, undefined],
  ]);
  expect(readTrunkCsv('trunk,knid\n')).toMatchObject({ status: 'refused' });
});
