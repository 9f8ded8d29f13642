import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { RecordFormat } from '../../sdk/src/contract/call-record.js';
import {
  asteriskChannel,
  channelBirthSeconds,
  dialDestinations,
  dialledNumber,
} from '../../sdk/src/records/ingest/formats/asterisk-cdr.js';
import { isNoTime, rowClock, type TimeLayout } from '../../sdk/src/records/ingest/formats/row-times.js';
import { csvFields, rowText } from '../../sdk/src/records/ingest/record-reader.js';
import type { RowFraming, RowReading, SourceDescription } from '../../sdk/src/records/ingest/record-reader.js';
import { createRowSplitter } from '../../sdk/src/records/ingest/row-splitter.js';
import { sourceSha256 } from '../../sdk/src/records/record-id.js';
import { northAmericanNumber } from '../../sdk/src/records/suspicion/suspicion.js';
import { TEXT_READERS } from '../support/record-readers.js';
import { permutations, recordsOf, shownRows } from '../support/record-samples.js';

const vectors = (name: string): readonly unknown[] =>
  JSON.parse(readFileSync(new URL(`../vectors/rows/${name}.json`, import.meta.url), 'utf8')) as readonly unknown[];

interface FieldsVector {
  readonly what: string;
  readonly text: string;
  readonly layout?: Parameters<typeof csvFields>[1];
  readonly fields?: readonly string[];
  readonly reason?: string;
}

test.each(vectors('fields') as readonly FieldsVector[])('$what: $text', ({ text, layout, fields, reason }) => {
  const read = csvFields(text, layout);
  expect(read.status === 'fields' ? read.fields : read.reason).toEqual(fields ?? reason);
});

interface RowsVector {
  readonly what: string;
  readonly framing: RowFraming;
  readonly text: string;
  readonly latin1?: boolean;
  /** Each row as its line and text, broken ones as line and `!reason`. */
  readonly rows: readonly string[];
}

test.each(vectors('rows') as readonly RowsVector[])('$what', ({ framing, text, latin1 = false, rows }) => {
  const splitter = createRowSplitter({ framing, maxRowBytes: 1_000 });
  const octets = Buffer.from(text, latin1 ? 'latin1' : 'utf8');
  expect(shownRows([...splitter.push(octets), ...splitter.end()])).toEqual(rows);
});

/** A zone, with which of both hours is meant where one comes twice, the layout, a text, and the instant or instants, or the fault. */
type TimeVector = readonly [string, TimeLayout, string, string | number, string?];

test.for(vectors('times') as readonly TimeVector[])('in %s, %s: %s is %s %s', ([place, layout, text, at, other]) => {
  const [zone = '', hour] = place.split(' ');
  const repeatedHour = hour as 'earlier' | 'later' | undefined;
  const read = rowClock({ zone, ...(repeatedHour !== undefined && { repeatedHour }) }).read(text, layout);
  if (read.status !== 'instant') return expect(read.reason).toBe(at);
  const us = (iso: string | number): number => (typeof iso === 'number' ? iso : Date.parse(iso) * 1_000);
  expect(read.atUs).toBe(us(at));
  if (other !== undefined) expect(read.otherUs).toBe(us(other));
});

const NAMES: Readonly<Record<string, (text: string) => unknown>> = {
  'peer of a channel of Asterisk': (name) => asteriskChannel(name)?.peer,
  'phones that Dial rings': dialDestinations,
  'second at which a channel was made': channelBirthSeconds,
  'kind of a calling number': (tn) => {
    const { kind, fault } = northAmericanNumber(tn);
    return fault === undefined ? kind : `${kind} ${fault}`;
  },
  'whether a text means no time': isNoTime,
  'text of a row': (text) => rowText({ text }),
};

test.each(vectors('names') as readonly (readonly [string, string, unknown])[])(
  '%s: %j is %j',
  (what, text, expected) => {
    expect(NAMES[what]?.(text) ?? null).toEqual(expected);
  },
);

test('of several numbers dialled the one of the channel is taken, and none where that cannot be told', () => {
  const argument = 'PJSIP/12025550123@carrier-b&PJSIP/12025550124@carrier-c';
  expect(dialledNumber(argument, 'carrier-c')).toBe('12025550124');
  expect(dialledNumber(argument, undefined)).toBeUndefined();
  expect(dialledNumber('PJSIP/1@b&PJSIP/2@b', 'b')).toBeUndefined();
});

/** Rows of a source, and what a reader makes of each of them, or of all. */
interface ReadingsVector {
  readonly what: string;
  readonly source: SourceDescription & { readonly format: RecordFormat };
  /** Texts, objects that are rows of JSON, or rows with a line of their own, `restored` ones by a reader that goes on from there. */
  readonly rows: readonly (string | RowParts)[];
  readonly firstLine?: number;
  /** Whether the rows may come in any order, and make the same records. */
  readonly anyOrder?: boolean;
  readonly readings?: readonly object[];
  readonly records?: readonly object[];
  readonly expired?: readonly object[];
  /** Members that the first record has not. */
  readonly without?: readonly string[];
}
interface RowParts {
  readonly text?: string;
  readonly line?: number;
  readonly restored?: boolean;
}

/** Reads rows one after the other. @returns the readings of each, and of what waits at the end */
function readRows({ source, firstLine = 1 }: ReadingsVector, rows: ReadingsVector['rows']) {
  const make = TEXT_READERS[source.format]!;
  let reader = make(source);
  const readings = rows.map((row, at): readonly RowReading[] => {
    const { line = at + firstLine, restored = false } = typeof row === 'string' ? {} : row;
    const text = typeof row === 'string' ? row : (row.text ?? JSON.stringify(row));
    if (restored) {
      const saved = reader.saveWaiting?.() ?? '';
      reader = make(source);
      expect(reader.restoreWaiting?.(saved)).toBe(true);
    }
    return reader.read({ text, sha256: sourceSha256(text), line });
  });
  return { readings, expired: reader.expire(Number.POSITIVE_INFINITY) };
}

test.each(vectors('readings') as readonly ReadingsVector[])('$what', (vector) => {
  const ids = new Set<unknown>();
  for (const rows of vector.anyOrder === true ? permutations(vector.rows) : [vector.rows]) {
    const { readings, expired } = readRows(vector, rows);
    if (vector.readings !== undefined) expect(readings.map(([first]) => first)).toMatchObject(vector.readings);
    if (vector.expired !== undefined) expect(expired).toMatchObject(vector.expired);
    const records = recordsOf([...readings.flat(), ...expired]);
    if (vector.records !== undefined) expect(records).toMatchObject(vector.records);
    for (const member of vector.without ?? []) expect(records[0]).not.toHaveProperty(member);
    ids.add(records[0]?.recordId);
  }
  expect(ids.size).toBe(1);
});
