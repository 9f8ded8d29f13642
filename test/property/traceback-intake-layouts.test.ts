import { readPastedText } from '@hopback/sdk/traceback';
import { INTAKE_FIELDS } from '../../sdk/src/traceback/intake/intake-fields.js';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { forAll } from '../support/for-all.js';

const receivedAtMs = Date.UTC(2026, 9, 24);

/** A label of a field, spelled as somebody may. */
const labelOf = (field: keyof typeof INTAKE_FIELDS): fc.Arbitrary<string> =>
  fc
    .tuple(
      fc.constantFrom(...INTAKE_FIELDS[field].labels),
      fc.constantFrom<(label: string) => string>(
        (label) => label,
        (label) => label.toUpperCase(),
        (label) => label.replace(/(^| )\w/g, (letter) => letter.toUpperCase()),
        (label) => `*${label}*`,
      ),
    )
    .map(([label, spell]) => spell(label));

/** Times as people write them, and what they mean. */
const writtenTime = fc.constantFrom(
  ['10/23/2026 3:41 PM EDT', '2026-10-23T15:41', '-04:00'],
  ['2026-10-23 15:41:07 -0400', '2026-10-23T15:41:07', '-04:00'],
  ['23 Oct 2026 15:41 UTC', '2026-10-23T15:41', 'UTC'],
  ['October 23, 2026 at 3:41 p.m. Eastern', '2026-10-23T15:41', 'America/New_York'],
  ['2026-10-23T19:41:07.5Z', '2026-10-23T19:41:07.5', 'UTC'],
);
const writtenNumber = fc
  .tuple(
    fc.stringMatching(/^[0-9]{4}$/),
    fc.constantFrom('+1202555', '202-555-', '(202) 555-', '1 202 555 ', '202.555.'),
  )
  .map(([digits, before]) => `${before}${digits}`);

/** How a field stands in a text. */
const layout = fc.constantFrom<(fields: readonly (readonly [string, string])[]) => string>(
  (fields) => fields.map(([label, value]) => `${label}: ${value}`).join('\n'),
  (fields) => fields.map(([label, value]) => `> ${label} = ${value}`).join('\r\n'),
  (fields) => fields.map(([label, value]) => `- ${label}:\t${value}`).join('\n'),
  (fields) => fields.map(([label, value]) => `${label} - ${value}`).join('\n'),
  (fields) => fields.map(([label, value]) => `${label}\n  ${value}`).join('\n'),
  (fields) => fields.map(([label, value]) => `${label}:\n\n${value}\n`).join('\n'),
  (fields) => fields.map(([label, value]) => `| ${label} | ${value} |`).join('\n'),
  (fields) => fields.map(([label, value]) => `${label}: ${value}`).join('; '),
  (fields) => [0, 1].map((at) => fields.map((field) => field[at]).join('\t')).join('\n'),
  (fields) => [0, 1].map((at) => fields.map((field) => field[at]).join(' | ')).join('\n'),
  (fields) => [0, 1].map((at) => fields.map((field) => field[at]).join('    ')).join('\n'),
);

test('whatever a field is called and however it is laid out, the call is the one that is meant', () => {
  const fields = fc.tuple(
    labelOf('called'),
    writtenNumber,
    labelOf('calling'),
    writtenNumber,
    labelOf('at'),
    writtenTime,
  );
  const order = fc.shuffledSubarray([0, 1, 2], { minLength: 3 });
  const around = fc.constantFrom('', 'Dear provider,\n\nplease trace this call:\n\n', 'Campaign: X\nRef. code: 12\n\n');
  forAll(
    [fields, order, layout, around],
    600,
    ([to, called, from, calling, when, [time, local, zone]], places, lay, before) => {
      const stated = [
        [to, called],
        [from, calling],
        [when, time],
      ] as const;
      const text = `${before}${lay(places.map((at) => stated[at]!))}\n\nRegards`;
      const [read, ...others] = readPastedText(text, { receivedAtMs }).requests;
      expect([text, others.length, read?.status]).toEqual([text, 0, 'clear']);
      if (read?.status !== 'clear') return;
      expect(read.request.call).toMatchObject({ called, calling, at: { local, zone } });
    },
  );
});

test('of several calls no field of one is ever given to another for certain', () => {
  const digits = fc.uniqueArray(fc.integer({ min: 1_000, max: 9_999 }), { minLength: 8, maxLength: 8 });
  const shape = fc.record({ hasCalling: fc.boolean(), order: fc.shuffledSubarray([0, 1, 2], { minLength: 3 }) });
  const between = fc.constantFrom(
    ['', ''],
    ['', '\n'],
    ['\n', ''],
    ['----\n', ''],
    ['Call #\n', '\n'],
    ['Call #\n', ''],
  );
  forAll(
    [digits, fc.array(shape, { minLength: 2, maxLength: 4 }), between, layout],
    600,
    (numbers, shapes, [before, behind], lay) => {
      const truth = shapes.map(({ hasCalling }, at) => ({
        called: `202555${String(numbers[at])}`,
        calling: hasCalling ? `303555${String(numbers[at + 4])}` : undefined,
        local: `2026-10-23T15:${String(10 + at)}`,
      }));
      const text = shapes
        .map(({ order }, at) => {
          const { called, calling, local } = truth[at]!;
          const all = [
            ['Called', called],
            ['Calling', calling],
            ['When', `${local} UTC`],
          ] as const;
          const stated = order.flatMap((place): readonly (readonly [string, string])[] => {
            const [label, value] = all[place]!;
            return value === undefined ? [] : [[label, value]];
          });
          return `${before?.replace('#', String(at + 1)) ?? ''}${lay(stated)}\n${behind ?? ''}`;
        })
        .join('');
      for (const read of readPastedText(text, { receivedAtMs }).requests) {
        if (read.status !== 'clear') continue;
        const { called, calling, at } = read.request.call;
        expect(truth.map((call) => ({ ...call, text }))).toContainEqual({ called, calling, local: at.local, text });
      }
    },
  );
});
