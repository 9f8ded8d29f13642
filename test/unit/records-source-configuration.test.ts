import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { isHopbackError } from '../../sdk/src/errors.js';
import type { RecordFormat } from '../../sdk/src/contract/call-record.js';
import {
  createSourceHepReader,
  createSourceReader,
  readSourceConfiguration,
} from '../../sdk/src/records/ingest/source-configuration.js';
import type { SourceConfiguration } from '../../sdk/src/records/ingest/source-configuration.js';
import { readSharingPolicy } from '../../sdk/src/records/redaction/read-sharing-policy.js';
import { sampleNames, sampleOf, readSample, splitSample } from '../support/record-samples.js';

const FILE_FORMATS: readonly RecordFormat[] = [
  'asterisk-cdr',
  'asterisk-cel',
  'freeswitch-csv',
  'freeswitch-json',
  'kamailio-acc',
  'oracle-sbc',
  'ribbon-act',
  'broadworks',
  'columns',
  'hopback',
];

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

test.each(FILE_FORMATS)(
  'the sources that the samples of %s declare are read, and their readers read the samples',
  (format) => {
    for (const name of sampleNames(format)) {
      const sample = sampleOf(format, name);
      const source = readSourceConfiguration(JSON.parse(JSON.stringify(sample.source)));
      if (source.format === 'hep') throw new Error('not in files');
      const reader = createSourceReader(source);
      const { readings, waiting } = readSample(reader, splitSample(format, sample.file, { framing: reader.framing }));
      expect({ readings, waiting }).toEqual({ readings: sample.readings, waiting: sample.waiting });
    }
  },
);

test('captured signalling is declared with addresses of the switch and where to listen', () => {
  const { source } = JSON.parse(readFileSync('test/vectors/records/hep/proxy.expected.json', 'utf8')) as {
    source: object;
  };
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

test.each<readonly [string, unknown, string]>([
  ['nothing', undefined, 'the source: it is missing'],
  ['a text', 'pbx-1', 'the source: it must be an object'],
  [
    'a format that there is not',
    { ...PLAIN, format: 'avaya' },
    'the source: format must be one of asterisk-cdr, freeswitch-csv, freeswitch-json, ribbon-act, broadworks, hopback, asterisk-cel, columns, kamailio-acc, oracle-sbc, hep',
  ],
  ['a member that nobody knows', { ...PLAIN, pathh: '/x' }, 'the source: there is no member pathh'],
  [
    'a member of a member that nobody knows',
    { ...PLAIN, time: { zone: 'utc', dst: 1 } },
    'the source: there is no member time.dst',
  ],
  ['no zone', { ...PLAIN, time: {} }, 'the source: time.zone is missing'],
  ['a zone that is no text', { ...PLAIN, time: { zone: 5 } }, 'the source: time.zone must be text'],
  ['an empty name', { ...PLAIN, id: '' }, 'the source: id must have at least 1 character'],
  ['the columns of another format', { ...PLAIN, columns: {} }, 'the source: there is no member columns'],
  [
    'a hundred wrong members',
    { ...PLAIN, ...Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`m${n}`, n])) },
    'and 95 more',
  ],
  [
    'a call that lasts a negative time',
    { ...PLAIN, longestCallMs: -1 },
    'the source: longestCallMs must be at least 1',
  ],
  [
    'a prefix with letters',
    { ...PLAIN, numbers: { techPrefixes: ['12', 'x'] } },
    'numbers.techPrefixes[1] must be digits, with # behind',
  ],
  [
    'a column that has no number',
    { ...PLAIN, format: 'columns', columns: { columns: { legId: -1 }, timeLayout: 'date-time' } },
    'columns.columns.legId must be the name of a column, or its number from 0 to 1023',
  ],
  [
    'a time layout that there is not',
    { ...PLAIN, format: 'columns', columns: { columns: {}, timeLayout: 'x' } },
    'columns.timeLayout must be one of date-time, iso-8601',
  ],
  [
    'a role that there is not',
    { ...PLAIN, format: 'kamailio-acc', layout: { form: 'json', extra: { a: 'b' } } },
    'layout.extra.a must be one of calling, asserted',
  ],
])('refuses %s by the name of the member', (_, value, message) => {
  expect(refused(value)).toContain(message);
});

test('a message names the source as its caller does, and details the first member', () => {
  const use = (value: unknown): SourceConfiguration => readSourceConfiguration(value, { at: 'sources[2]' });
  expect(refused({ ...PLAIN, id: 7 }, use)).toBe('sources[2]: id must be text');
  try {
    use({ ...PLAIN, id: 7 });
  } catch (error) {
    expect(isHopbackError(error) && error.details).toEqual({ member: 'id' });
  }
});

test('a zone that does not exist and columns that cannot be are found by the reader', () => {
  const source = readSourceConfiguration({ ...PLAIN, time: { zone: 'America/Nowhere' } });
  expect(refused(source, (value) => createSourceReader(value as typeof source & { format: 'asterisk-cdr' }))).not.toBe(
    '',
  );
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
  expect([...formats].sort()).toEqual([...FILE_FORMATS, 'hep'].sort());
});
