import { BlockList } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { comparableBusinessName } from '../../sdk/src/contract/same-provider.js';
import { prefixKey, readIpPrefix } from '../../sdk/src/traceback/directory/trunk-directory.js';
import { TrunkDirectory, readTrunkCsv, type TrunkEntry, type TrunkParty } from '../../sdk/src/traceback/index.js';
import { forAll } from '../support/for-all.js';

const addresses = (family: 'ipv4' | 'ipv6') => {
  const address = family === 'ipv4' ? fc.ipV4() : fc.ipV6();
  const bits = fc.integer({ min: 0, max: family === 'ipv4' ? 32 : 128 });
  return fc.record({ one: address, other: address, bits, family: fc.constant(family) });
};

test('an address is in a network exactly where Node says so', () => {
  forAll([fc.oneof(addresses('ipv4'), addresses('ipv6'))], 500, ({ one, other, bits, family }) => {
    const [left, right] = [readIpPrefix(one), readIpPrefix(other)];
    // Node reads IPv4 in IPv6 as IPv6.
    if (left === undefined || right === undefined) return;
    if (`ipv${String(left.family)}` !== family || left.family !== right.family) return;
    const list = new BlockList();
    list.addSubnet(one, bits, family);
    expect(prefixKey(left, bits) === prefixKey(right, bits)).toBe(list.check(other, family));
  });
});

test('readIpPrefix and readTrunkCsv return for any text', () => {
  forAll([fc.oneof(fc.string(), fc.ipV4Extended(), fc.ipV6())], 100, (text) => void readIpPrefix(text));
  const cell = fc.oneof(fc.string({ maxLength: 12 }), fc.constantFrom('provider', 'x', '2026-03-01T00:00:00Z'));
  const table = fc
    .array(fc.array(cell, { maxLength: 5 }))
    .map((rows) => ['trunk,kind,name,from,address', ...rows.map((row) => row.join(','))].join('\n'));
  forAll([fc.oneof(fc.string(), table)], 100, (text) => {
    expect(['read', 'refused']).toContain(readTrunkCsv(text).status);
  });
});

test('comparableBusinessName is its own spelling', () => {
  forAll([fc.string({ unit: 'binary', maxLength: 60 })], 100, (name) => {
    const once = comparableBusinessName(name);
    expect(comparableBusinessName(once)).toBe(once);
  });
});

const NAMES = ['Alpha LLC', 'Beta Inc', 'Gamma Corp'];
const party = fc.constantFrom(...NAMES).map((name): TrunkParty => ({ kind: 'provider', provider: { name } }));
const entry: fc.Arbitrary<TrunkEntry> = fc
  .record({
    trunk: fc.option(fc.constantFrom('t1', 't2'), { nil: undefined }),
    address: fc.option(fc.constantFrom('192.0.2.0/24', '192.0.2.1', '192.0.2.1:5060', '0.0.0.0/0'), { nil: undefined }),
    from: fc.option(fc.integer({ min: 0, max: 20 }), { nil: undefined }),
    length: fc.integer({ min: 1, max: 20 }),
    party,
  })
  .map(({ trunk, address, from, length, party: named }) => ({
    ...(trunk === undefined && address === undefined ? { trunk: 't1' } : {}),
    ...(trunk === undefined ? {} : { trunk }),
    ...(address === undefined ? {} : { address }),
    ...(from === undefined ? {} : { fromUs: from, untilUs: from + length }),
    party: named,
  }));

test('a party is named only where some entry that holds names it, and none that holds names another', () => {
  forAll(
    [
      fc.array(entry, { maxLength: 8 }),
      fc.constantFrom('t1', 't2', undefined),
      fc.constantFrom('192.0.2.1:5060', '192.0.2.9:5060', '198.51.100.1', undefined),
      fc.integer({ min: 0, max: 45 }),
    ],
    1_000,
    (entries, trunk, address, atUs) => {
      const directory = new TrunkDirectory({ directoryId: 'd', providers: [], entries, handoverMarginSeconds: 0 });
      const side = { ...(trunk === undefined ? {} : { trunk }), ...(address === undefined ? {} : { address }) };
      const found = directory.partyOf(side, atUs);
      const list = (cidr: string): boolean => {
        if (address === undefined) return false;
        const [host = '', port] = address.split(':');
        if (cidr.includes(':')) return cidr === `${host}:${port ?? ''}`;
        return cidr === '0.0.0.0/0' || cidr === host || (cidr.endsWith('/24') && host.startsWith('192.0.2.'));
      };
      const holding = entries.filter(
        (one) =>
          (one.trunk === undefined || one.trunk === trunk) &&
          (one.address === undefined || list(one.address)) &&
          (one.fromUs ?? 0) <= atUs &&
          (one.untilUs ?? 99) > atUs,
      );
      const names = new Set(holding.map((one) => (one.party.kind === 'provider' ? one.party.provider.name : '')));
      if (found === undefined) return;
      expect(found.kind === 'provider' && [found.provider.name]).toEqual([...names]);
    },
  );
});

test('with a margin a party is named only where it has the trunk for as long as the margin before and after', () => {
  const period = fc
    .record({ from: fc.integer({ min: 0, max: 12 }), length: fc.integer({ min: 1, max: 12 }), party })
    .map(({ from, length, party: named }) => ({
      trunk: 't1',
      fromUs: from * 1_000_000,
      untilUs: (from + length) * 1_000_000,
      party: named,
    }));
  forAll(
    [fc.array(period, { maxLength: 4 }), fc.integer({ min: 0, max: 24 }), fc.integer({ min: 0, max: 4 })],
    1_000,
    (entries, second, margin) => {
      const directory = new TrunkDirectory({
        ...{ directoryId: 'd', providers: [], entries },
        handoverMarginSeconds: margin,
      });
      const found = directory.partyOf({ trunk: 't1' }, second * 1_000_000);
      // Periods begin and end at whole seconds: between two of them nothing changes.
      const seconds = Array.from({ length: 2 * margin + 1 }, (_, at) => second - margin + at);
      const namesAt = (at: number): readonly string[] =>
        entries
          .filter(({ fromUs, untilUs }) => fromUs <= at * 1_000_000 && untilUs > at * 1_000_000)
          .map((one) => (one.party.kind === 'provider' ? one.party.provider.name : ''));
      const names = new Set(seconds.flatMap(namesAt));
      const isSteady = names.size === 1 && seconds.every((at) => namesAt(at).length > 0);
      expect(found?.kind === 'provider' ? [found.provider.name] : []).toEqual(isSteady ? [...names] : []);
    },
  );
});
