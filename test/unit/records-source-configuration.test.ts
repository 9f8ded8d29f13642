import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { isHopbackError } from '../../sdk/src/errors.js';
import {
  createSourceHepReader,
  createSourceReader,
  readSourceConfiguration,
} from '../../sdk/src/records/ingest/source-configuration.js';
import { readSharingPolicy } from '../../sdk/src/records/redaction/sharing-policy.js';
import { proxySample } from '../support/hep-packets.js';
import { TEXT_READERS } from '../support/record-readers.js';

const PLAIN = { id: 'pbx-1', format: 'asterisk-cdr', time: { zone: 'utc' } } as const;

function refused(value: unknown, use: (value: unknown) => unknown = readSourceConfiguration): string {
  try {
    use(value);
  } catch (error) {
    if (!isHopbackError(error) || error.code !== 'invalid-configuration') throw error;
    return error.message;
  }
  throw new Error('it was taken');
}

test('captured signalling is declared with addresses of the switch and where to listen', () => {
  const { source } = proxySample();
  const listen = { udp: { host: '127.0.0.1', port: 9060 }, agents: ['192.0.2.1'], key: 'k', maxCalls: 10 };
  const configuration = readSourceConfiguration({ ...source, listen });
  if (configuration.format !== 'hep') throw new Error('not captured signalling');
  expect(createSourceHepReader(configuration).waiting()).toBe(0);
  expect(refused({ ...source, listen: { ...listen, udp: { host: '127.0.0.1', port: 70_000 } } })).toBe(
    'the source: listen.udp.port must be at most 65535',
  );
  expect(refused(source)).toBe('the source: listen is missing');
});

test('an exception of a sharing policy that is for nobody in particular is refused, and says what it lacks', () => {
  const exceptions = [{ id: 'hospital', share: 'nothing', reason: 'r' }];
  expect(refused({ id: 'example-1', exceptions }, (value) => readSharingPolicy(value))).toBe(
    'the sharing policy: exceptions[0] must name a trunk or a customerId: else it would be for everybody',
  );
});

test('columns of channel events among which one is missing that every event needs are refused', () => {
  const source = readSourceConfiguration({
    ...PLAIN,
    format: 'asterisk-cel',
    celColumns: ['event', 'time', 'uniqueId'],
  });
  expect(refused(source, (value) => createSourceReader(value as typeof source & { format: 'asterisk-cel' }))).toBe(
    'celColumns must have linkedId too.',
  );
});

const COLUMNS = { ...PLAIN, format: 'columns' };

test.each<readonly [unknown, string]>([
  [undefined, 'the source: it is missing'],
  ['pbx-1', 'the source: it must be an object'],
  [{ ...PLAIN, format: 'avaya' }, 'the source: format must be one of asterisk-cdr, asterisk-cel, freeswitch-csv'],
  [{ ...PLAIN, pathh: '/x' }, 'the source: there is no member pathh'],
  [{ ...PLAIN, time: { zone: 'utc', dst: 1 } }, 'the source: there is no member time.dst'],
  [{ ...PLAIN, time: {} }, 'the source: time.zone is missing'],
  [{ ...PLAIN, time: { zone: 5 } }, 'the source: time.zone must be text'],
  [{ ...PLAIN, id: '' }, 'the source: id must have at least 1 character'],
  [{ ...PLAIN, columns: {} }, 'the source: there is no member columns'],
  [{ ...PLAIN, ...Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`m${n}`, n])) }, 'and 95 more'],
  [{ ...PLAIN, longestCallMs: -1 }, 'the source: longestCallMs must be at least 1'],
  [{ ...PLAIN, numbers: { techPrefixes: ['12', 'x'] } }, 'numbers.techPrefixes[1] must be digits, with # behind'],
  [
    { ...COLUMNS, columns: { columns: { legId: -1 }, timeLayout: 'date-time' } },
    'columns.columns.legId must be the name of a column, or its number from 0 to 1023',
  ],
  [{ ...COLUMNS, columns: { columns: {}, timeLayout: 'x' } }, 'columns.timeLayout must be one of date-time, iso-8601'],
  [
    { ...PLAIN, format: 'kamailio-acc', layout: { form: 'json', extra: { a: 'b' } } },
    'layout.extra.a must be one of calling, asserted',
  ],
])('refuses %j by the name of the member', (value, message) => {
  expect(refused(value)).toContain(message);
});

test('a message names the source as its caller does, and details the first member', () => {
  expect(() => readSourceConfiguration({ ...PLAIN, id: 7 }, { at: 'sources[2]' })).toThrow(
    expect.objectContaining({ message: 'sources[2]: id must be text', details: { member: 'id' } }),
  );
});

test('a zone that does not exist and columns that cannot be are found by the reader', () => {
  const source = readSourceConfiguration({ ...PLAIN, time: { zone: 'America/Nowhere' } });
  const read = (value: unknown): unknown => createSourceReader(value as typeof source & { format: 'asterisk-cdr' });
  expect(refused(source, read)).not.toBe('');
});

test('every source and every policy in the guide is one, and every format has an example', () => {
  const guide = readFileSync('docs/guides/records.md', 'utf8');
  const blocks = [...guide.matchAll(/^```json\n(.*?)^```$/gms)].map(([, block = '']) => JSON.parse(block) as object);
  const formats = new Set<string>();
  for (const block of blocks) {
    if (!('format' in block)) {
      if ('share' in block) readSharingPolicy(block);
      continue;
    }
    const source = readSourceConfiguration(block);
    formats.add(source.format);
    if (source.format === 'hep') createSourceHepReader(source);
    else createSourceReader(source);
  }
  expect([...formats].sort()).toEqual([...Object.keys(TEXT_READERS), 'hep'].sort());
});
