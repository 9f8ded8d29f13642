import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { isHopbackError } from '../../sdk/src/errors.js';
import {
  createSourceHepReader,
  createSourceReader,
  readSourceConfiguration,
} from '../../sdk/src/records/ingest/source-configuration.js';
import { SharingPolicy, readSharingPolicy } from '../../sdk/src/records/redaction/sharing-policy.js';
import { forAll } from '../support/for-all.js';

const SOURCES: readonly Readonly<Record<string, unknown>>[] = [
  { id: 'a', format: 'asterisk-cdr', time: { zone: 'utc', repeatedHour: 'later' }, rotated: ['x*'], keepRaw: true },
  { id: 'a', format: 'asterisk-cel', time: { zone: 'utc' }, celColumns: ['event', 'time', 'uniqueId', 'linkedId'] },
  {
    ...{ id: 'a', format: 'columns', time: { zone: 'utc' } },
    columns: { timeLayout: 'date-time', columns: { legId: 'id', inviteAt: 1, calling: 2 }, separator: ';' },
  },
  { id: 'a', format: 'kamailio-acc', time: { zone: 'utc' }, layout: { form: 'csv', columns: ['method'], extra: {} } },
  {
    id: 'a',
    format: 'oracle-sbc',
    time: { zone: 'utc' },
    fields: { ingressAddress: 5 },
    numbers: { techPrefixes: ['7#'] },
  },
  {
    ...{ id: 'a', format: 'hep', time: { zone: 'utc' }, ownAddresses: ['192.0.2.1'] },
    listen: { udp: { host: '127.0.0.1', port: 9060 }, agents: ['192.0.2.2'] },
  },
];

/** JSON in which some members have become something else, or are gone. */
function spoilt(value: unknown): fc.Arbitrary<unknown> {
  if (Array.isArray(value)) return fc.oneof({ weight: 4, arbitrary: fc.tuple(...value.map(spoilt)) }, fc.jsonValue());
  if (typeof value !== 'object' || value === null)
    return fc.oneof({ weight: 12, arbitrary: fc.constant(value) }, fc.jsonValue());
  const members = Object.fromEntries(Object.entries(value).map(([name, member]) => [name, spoilt(member)]));
  const whole = fc.record(members, { requiredKeys: [] });
  const more = fc.tuple(whole, fc.string(), fc.jsonValue()).map(([all, name, extra]) => ({ ...all, [name]: extra }));
  return fc.oneof({ weight: 6, arbitrary: fc.record(members) }, { weight: 3, arbitrary: whole }, more);
}

const isRefused = (error: unknown): boolean =>
  isHopbackError(error) && error.code === 'invalid-configuration' && error.message.length < 2_000;

test('any JSON is a source of which a reader can be made, or refused as a configuration in words', () => {
  let taken = 0;
  const any = fc.oneof(...SOURCES.map(spoilt), fc.jsonValue());
  forAll([any], 2_000, (value) => {
    try {
      const source = readSourceConfiguration(value);
      if (source.format === 'hep') createSourceHepReader(source);
      else createSourceReader(source);
      taken += 1;
    } catch (error) {
      expect(isRefused(error)).toBe(true);
    }
  });
  expect(taken).toBeGreaterThan(50);
});

test('any JSON is a sharing policy that can be followed, or refused as a configuration in words', () => {
  const policy = {
    ...{ id: 'p', share: 'suspicious', suspiciousFrom: 'watch', members: { all: { calling: 'kept' } } },
    exceptions: [{ id: 'x', trunk: 't', share: 'nothing', reason: 'r' }],
  };
  const key = new Uint8Array(32).fill(7);
  forAll([fc.oneof({ weight: 5, arbitrary: spoilt(policy) }, fc.jsonValue())], 2_000, (value) => {
    try {
      void new SharingPolicy({ data: readSharingPolicy(value), key, rotationId: 'r', tenantId: 't' });
    } catch (error) {
      expect(isRefused(error)).toBe(true);
    }
  });
});
