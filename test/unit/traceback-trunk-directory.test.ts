import { expect, test } from 'vitest';
import { isHopbackError } from '../../sdk/src/errors.js';
import {
  checkTrunkDirectory,
  createTrunkDirectory,
  readTrunkCsv,
  readTrunkDirectory,
} from '../../sdk/src/traceback/index.js';
import type { TrunkDirectoryData, TrunkEntry, TrunkParty } from '../../sdk/src/traceback/index.js';

const DAY_US = 86_400_000_000;
const MARCH_US = Date.UTC(2026, 2, 1) * 1_000;
const A: TrunkParty = { kind: 'provider', provider: { name: 'Example Telecom LLC', ocn: '0001' } };
const B: TrunkParty = { kind: 'provider', provider: { name: 'Example Wholesale Inc', ocn: '0002' } };

const directoryOf = (entries: readonly TrunkEntry[], more: Partial<TrunkDirectoryData> = {}) =>
  createTrunkDirectory({ directoryId: 'd', providers: [], entries, ...more });

test('a trunk that changed hands names whoever had it then', () => {
  const directory = directoryOf([
    { trunk: 'east-1', untilUs: MARCH_US, party: A },
    { trunk: 'east-1', fromUs: MARCH_US, party: B },
  ]);
  expect(directory.partyOf({ trunk: 'east-1' }, MARCH_US - DAY_US)).toEqual(A);
  expect(directory.partyOf({ trunk: 'east-1' }, MARCH_US + DAY_US)).toEqual(B);
});

test('within an hour of a change of hands nobody is named', () => {
  const directory = directoryOf([
    { trunk: 'east-1', untilUs: MARCH_US, party: A },
    { trunk: 'east-1', fromUs: MARCH_US, party: B },
  ]);
  for (const offsetUs of [-3_600_000_000, -1, 0, 3_599_000_000]) {
    expect(directory.lookUp({ trunk: 'east-1' }, MARCH_US + offsetUs)).toEqual({
      status: 'unknown',
      reason: 'changing-hands',
    });
  }
});

const HOUR_US = 3_600_000_000;

test.each([
  ['begins', { fromUs: MARCH_US }, [1, HOUR_US - 1], HOUR_US],
  ['ends', { untilUs: MARCH_US }, [-1, -HOUR_US], -HOUR_US - 1],
])(
  'within an hour of where a period %s beside which nothing is listed nobody is named',
  (_claim, period, near, far) => {
    const directory = directoryOf([{ trunk: 'east-1', ...period, party: A }]);
    for (const offsetUs of near) {
      expect(directory.lookUp({ trunk: 'east-1' }, MARCH_US + offsetUs)).toEqual({
        status: 'unknown',
        reason: 'changing-hands',
      });
    }
    expect(directory.partyOf({ trunk: 'east-1' }, MARCH_US + far)).toEqual(A);
  },
);

test('a period of the same party that begins after a break, however short, is a change of hands', () => {
  const directory = directoryOf([
    { trunk: 'east-1', untilUs: MARCH_US - 1, party: A },
    { trunk: 'east-1', fromUs: MARCH_US, party: A },
  ]);
  expect(directory.lookUp({ trunk: 'east-1' }, MARCH_US + 1)).toEqual({ status: 'unknown', reason: 'changing-hands' });
});

test('a period that begins within one of the same party is no change of hands', () => {
  const directory = directoryOf([
    { trunk: 'east-1', party: A },
    { trunk: 'east-1', address: '192.0.2.1', fromUs: MARCH_US, party: A },
  ]);
  expect(directory.partyOf({ trunk: 'east-1', address: '192.0.2.1' }, MARCH_US + 1)).toEqual(A);
});

test('a period of the same party that ends and begins anew is no change of hands', () => {
  const directory = directoryOf([
    { trunk: 'east-1', untilUs: MARCH_US, party: A },
    { trunk: 'east-1', fromUs: MARCH_US, party: A },
  ]);
  expect(directory.partyOf({ trunk: 'east-1' }, MARCH_US)).toEqual(A);
});

test('a trunk that is listed for another time is not answered by its address', () => {
  const directory = directoryOf([
    { trunk: 'east-1', untilUs: MARCH_US, party: A },
    { address: '192.0.2.0/24', party: B },
  ]);
  expect(directory.lookUp({ trunk: 'east-1', address: '192.0.2.9:5060' }, MARCH_US + DAY_US)).toEqual({
    status: 'unknown',
    reason: 'not-listed-then',
  });
  expect(directory.partyOf({ trunk: 'west-1', address: '192.0.2.9:5060' }, MARCH_US)).toEqual(B);
});

test('trunk, address and the name that the switch wrote have to agree', () => {
  const directory = directoryOf(
    [
      { trunk: 'east-1', party: A },
      { address: '192.0.2.0/24', party: B },
      { address: '2001:db8::/32', party: A },
    ],
    { providers: [{ provider: { name: 'Example Wholesale Inc', ocn: '0002' }, otherNames: ['EXW'] }] },
  );
  const contradiction = { status: 'unknown', reason: 'contradiction' };
  expect(directory.lookUp({ trunk: 'east-1', address: '192.0.2.9' }, MARCH_US)).toEqual(contradiction);
  expect(directory.lookUp({ trunk: 'east-1', provider: 'EXW' }, MARCH_US)).toEqual(contradiction);
  expect(directory.lookUp({ trunk: 'east-1', address: '[2001:db8::1]:5060' }, MARCH_US)).toMatchObject({
    status: 'known',
    party: A,
    by: ['trunk', 'address'],
  });
  // A name that nobody knows says nothing.
  expect(directory.lookUp({ trunk: 'east-1', provider: 'somebody' }, MARCH_US)).toMatchObject({ status: 'known' });
});

test('the provider that the switch wrote is enough where the directory knows that name of one provider', () => {
  const directory = directoryOf([], {
    providers: [{ provider: { name: 'Example Wholesale Inc', ocn: '0002', frn: '0000000002' }, otherNames: ['EXW'] }],
  });
  expect(directory.partyOf({ trunk: 'x', provider: 'exw' }, 0)).toEqual({
    kind: 'provider',
    provider: { name: 'Example Wholesale Inc', ocn: '0002', frn: '0000000002' },
  });
});

test('an entry of several keys holds only where all of them fit', () => {
  const directory = directoryOf([{ trunk: 'east-1', address: '192.0.2.1:5060', party: A }]);
  expect(directory.partyOf({ trunk: 'east-1', address: '192.0.2.1:5060' }, 0)).toEqual(A);
  for (const side of [{ trunk: 'east-1' }, { address: '192.0.2.1:5060' }])
    expect(directory.lookUp(side, 0)).toEqual({ status: 'unknown', reason: 'not-listed' });
  const other = { trunk: 'east-1', address: '192.0.2.1:5080' };
  expect(directory.lookUp(other, 0)).toEqual({ status: 'unknown', reason: 'contradiction' });
  expect(directory.lookUp({}, 0)).toEqual({ status: 'unknown', reason: 'nothing-recorded' });
});

test('a trunk whose entries speak of another address or provider is named by nothing else', () => {
  const providers = [{ provider: { name: 'Example Wholesale Inc', ocn: '0002' }, otherNames: ['EXW'] }];
  const pinned = [
    { trunk: 'east-1', address: '192.0.2.1', party: A },
    { trunk: 'west-1', switchProvider: 'EXT', party: A },
    { address: '198.51.100.0/24', party: B },
  ];
  const directory = directoryOf(pinned, { providers });
  for (const side of [
    { trunk: 'east-1', address: '198.51.100.7:5060' },
    { trunk: 'east-1', address: 'sbc.example.com', provider: 'EXW' },
    { trunk: 'west-1', provider: 'EXW' },
    { trunk: 'west-1', provider: 'EXW', address: '198.51.100.7' },
  ])
    expect(directory.lookUp(side, MARCH_US)).toEqual({ status: 'unknown', reason: 'contradiction' });
  // What would have to fit is not on record.
  for (const side of [
    { trunk: 'east-1', provider: 'EXW' },
    { trunk: 'west-1', address: '198.51.100.7' },
  ])
    expect(directory.lookUp(side, MARCH_US)).toEqual({ status: 'unknown', reason: 'not-listed' });
  expect(directory.partyOf({ trunk: 'north-1', address: '198.51.100.7' }, MARCH_US)).toEqual(B);
});

test('an address or provider that is listed with another trunk speaks against whoever that one is not', () => {
  const entries = [
    { trunk: 'east-1', address: '192.0.2.1', party: A },
    { trunk: 'east-2', switchProvider: 'EXT', party: A },
    { trunk: 'west-1', party: B },
    { trunk: 'north-1', party: A },
  ];
  const directory = directoryOf(entries);
  for (const side of [
    { trunk: 'west-1', address: '192.0.2.1' },
    { trunk: 'west-1', provider: 'EXT' },
  ])
    expect(directory.lookUp(side, MARCH_US)).toEqual({ status: 'unknown', reason: 'contradiction' });
  expect(directory.partyOf({ trunk: 'north-1', address: '192.0.2.1', provider: 'EXT' }, MARCH_US)).toEqual(A);
  // Of one address with a trunk for each party only the trunk's own entry counts.
  const shared = directoryOf([...entries, { trunk: 'west-1', address: '192.0.2.1', party: B }]);
  expect(shared.partyOf({ trunk: 'west-1', address: '192.0.2.1' }, MARCH_US)).toEqual(B);
});

test('an IPv4 address behind a dual-stack socket is the IPv4 address', () => {
  const directory = directoryOf([{ address: '192.0.2.0/24', party: A }]);
  expect(directory.partyOf({ address: '[::ffff:192.0.2.7]:5060' }, 0)).toEqual(A);
});

test.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])(
  'a name that every object has is no trunk: %s',
  (name) => {
    const providers = [{ provider: { name: 'Example Telecom LLC', ocn: '0001' } }];
    const directory = directoryOf([{ trunk: 'east-1', party: A }], { providers });
    const unlisted = { status: 'unknown', reason: 'not-listed' };
    expect(directory.lookUp({ trunk: name, address: name, provider: name }, 0)).toEqual(unlisted);
    expect(directory.isSame({ name, ocn: name }, { name: 'Example Telecom LLC', ocn: '0001' })).toBe(false);
    expect(directoryOf([{ trunk: name, party: A }]).partyOf({ trunk: name }, 0)).toEqual(A);
  },
);

test('the entry gets the codes under which the directory knows its provider', () => {
  const directory = directoryOf(
    [{ trunk: 't', party: { kind: 'provider', provider: { name: 'Example Telecom, L.L.C.' } } }],
    {
      providers: [{ provider: { name: 'Example Telecom LLC', ocn: '0001', frn: '0000000001' } }],
    },
  );
  expect(directory.partyOf({ trunk: 't' }, 0)).toEqual({
    kind: 'provider',
    provider: { name: 'Example Telecom, L.L.C.', ocn: '0001', frn: '0000000001' },
  });
});

test.each([
  ['the same registry id', { name: 'A', providerId: 'p1' }, { name: 'B', providerId: 'p1' }, true],
  [
    'the same registry id, another FRN',
    { name: 'A', providerId: 'p1', frn: '0000000001' },
    { name: 'A', providerId: 'p1', frn: '0000000002' },
    true,
  ],
  [
    'another OCN of the same FRN',
    { name: 'A', frn: '0000000001', ocn: '0001' },
    { name: 'A', frn: '0000000001', ocn: '0009' },
    true,
  ],
  ['the same name, another OCN', { name: 'Example LLC', ocn: '0001' }, { name: 'Example LLC', ocn: '0002' }, false],
  ['an OCN that is the other one’s SPC', { name: 'A', ocn: '0001' }, { name: 'B', spc: '0001' }, true],
  ['one name in two spellings', { name: 'Example Télécom, L.L.C.' }, { name: 'EXAMPLE TELECOM LLC' }, true],
  ['another legal form', { name: 'Example LLC' }, { name: 'Example Inc' }, false],
  ['one name that is part of the other', { name: 'Example Telecom' }, { name: 'Example Telecom of Ohio' }, false],
  ['no letters at all', { name: '??' }, { name: '??' }, false],
])('isSame, of providers that no directory knows: %s', (_claim, one, other, same) => {
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
      providers: [
        { provider: { name: 'Example Wholesale Inc', ocn: '0002', frn: '0000000002' }, otherNames: ['EXW'] },
        { provider: { name: 'Stranger Inc', ocn: '0005' } },
      ],
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
});

test('a directory without problems has none listed', () => {
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
  const error = caught(() => directoryOf([entry]));
  expect(isHopbackError(error) && [error.code, error.details]).toEqual(['invalid-configuration', { member }]);
});

test.each([
  [{ trunk: 't', from: '2026-03-01', customer: {} }, 'trunks[0].from'],
  [{ trunk: 't', provider: { name: 'x' }, customer: {} }, 'trunks[0]'],
  [{ trunk: 't', provider: { name: 'x', ocn: '12' } }, 'trunks[0].provider.ocn'],
  [{ trunk: 't', provdier: { name: 'x' } }, 'trunks[0].provdier'],
])('a written directory names the member that is wrong: %j', (entry, member) => {
  const error = caught(() => readTrunkDirectory({ directoryId: 'd', trunks: [entry] }));
  expect(isHopbackError(error) && error.details).toEqual({ member });
});

test('a written directory takes days in its zone, and refuses an hour that comes twice', () => {
  const data = readTrunkDirectory({
    directoryId: 'd',
    zone: 'America/New_York',
    trunks: [
      {
        trunk: 't',
        from: '2026-03-01',
        until: '2026-07-01T12:00:00-04:00',
        foreignProvider: { name: 'X', country: 'CA' },
      },
    ],
  });
  expect(data.entries[0]).toMatchObject({
    fromUs: Date.UTC(2026, 2, 1, 5) * 1_000,
    untilUs: Date.UTC(2026, 6, 1, 16) * 1_000,
  });
  const written = {
    directoryId: 'd',
    zone: 'America/New_York',
    trunks: [{ trunk: 't', from: '2026-11-01T01:30:00', customer: {} }],
  };
  expect(isHopbackError(caught(() => readTrunkDirectory(written)))).toBe(true);
});

test('what an entry names beside its key and the record lacks may have been so: the others of its key name nobody alone', () => {
  const party = (name: string) => ({ kind: 'provider', provider: { name } }) as const;
  const of = (second: string) =>
    createTrunkDirectory({
      directoryId: 'd',
      providers: [],
      entries: [
        { trunk: 'east-1', party: party('Example Telecom LLC') },
        { trunk: 'east-1', address: '192.0.2.1', party: party(second) },
      ],
    });
  const known = (second: string, address?: string) =>
    of(second).lookUp({ trunk: 'east-1', ...(address === undefined ? {} : { address }) }, 1).status;
  expect(known('Example Wholesale Inc')).toBe('unknown');
  expect(known('Example Wholesale Inc', '198.51.100.1:5060')).toBe('known');
  expect(known('Example Telecom LLC')).toBe('known');
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

function caught(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  return undefined;
}
