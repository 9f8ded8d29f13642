import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { errorOfFailure, failureOfResponse } from '../../sdk/src/platform/client/requester.js';
import { cutPage, itemsOfPages, readJson, readPageLeniently } from '../../sdk/src/platform/client/route-call.js';
import { readPlatformEvent } from '../../sdk/src/platform/events/platform-events.js';
import { WIRE_SCHEMAS } from '../../sdk/src/contract/bodies.js';
import { TracebackRequestStatus } from '../../sdk/src/contract/traceback-exchange.js';
import { codeOf } from '../support/code-of.js';
import { createdEvent, sampleStatus } from '../support/platform-samples.js';
import { forAll, forAllAsync } from '../support/for-all.js';

const CALL = { method: 'GET', route: '/v1/alerts', attempts: 1 };
const anyStatus = fc.integer({ min: 300, max: 599 });
const anyField = fc.string({ unit: fc.constantFrom(...Array.from(' !~aZ09,;:/-')), maxLength: 40 });

/** Bodies that come near to problem documents: some members as they should be, some anything. */
const anyProblem = fc.record(
  {
    code: fc.oneof(fc.constant('not-found'), fc.jsonValue()),
    detail: fc.oneof(fc.string({ unit: 'binary' }), fc.jsonValue()),
    httpRequestId: fc.oneof(fc.constant('req-1'), fc.jsonValue()),
    errors: fc.oneof(fc.array(fc.oneof(fc.record({ pointer: fc.string() }), fc.jsonValue())), fc.jsonValue()),
  },
  { requiredKeys: [] },
);
const anyBody = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  anyProblem.map((problem) => Buffer.from(JSON.stringify(problem))),
);

test('makes a typed error of any refusal, in which there is no telephone number and no control character', () => {
  forAll([anyStatus, anyField, anyBody], 2_000, (status, field, body) => {
    const response = new Response(null, { status, headers: { 'request-id': field, 'retry-after': field } });
    const error = errorOfFailure(failureOfResponse(response, body, 0), CALL);
    expect(['unavailable', 'unauthorized', 'request-refused']).toContain(error.code);
    expect(error.details['httpStatus']).toBe(status);
    const { requestId: _requestId, ...told } = error.details;
    expect(JSON.stringify(told)).not.toMatch(/\d{7}/);
    expect(error.message).not.toMatch(/[\0-\x1f\x7f]/);
  });
});

test('returns for any octets of an answer', () => {
  const near = fc.tuple(fc.nat(), fc.uint8Array({ maxLength: 3 })).map(([at, bytes]) => {
    const whole = Buffer.from(JSON.stringify(sampleStatus('1')));
    return Buffer.concat([
      whole.subarray(0, at % whole.length),
      bytes,
      whole.subarray((at % whole.length) + bytes.length),
    ]);
  });
  forAll(
    [
      fc.oneof(
        fc.uint8Array(),
        near,
        fc.json().map((text) => Buffer.from(text)),
      ),
    ],
    2_000,
    (bytes) => {
      expect(['read', 'unreadable']).toContain(readJson(bytes, WIRE_SCHEMAS.TracebackRequestStatus).status);
    },
  );
});

/** What a schema asks for its length, although it is no text and its length no number. */
const oddLength = fc.constant({ length: { valueOf: 1, toString: 1 } });

test('cuts any page into the items that are in it, however it is spaced', () => {
  const spacing = fc.constantFrom(undefined, 1, '\t');
  const anyPage = fc.record({ a: fc.jsonValue(), items: fc.array(fc.jsonValue()), z: fc.jsonValue() });
  forAll([anyPage, spacing], 1_000, (page, space) => {
    const cut = cutPage(Buffer.from(JSON.stringify(page, undefined, space)));
    expect(cut?.items.map((piece) => JSON.parse(Buffer.from(piece).toString()))).toEqual(
      JSON.parse(JSON.stringify(page.items)),
    );
    expect(JSON.parse(Buffer.from(cut!.envelope).toString())).toEqual(
      JSON.parse(JSON.stringify({ ...page, items: [] })),
    );
  });
});

test('returns for any octets of a page, with no item that was not in it', () => {
  const whole = Buffer.from(JSON.stringify({ items: ['1', '2', '3'].map((id) => sampleStatus(id)), nextCursor: 'c' }));
  const edits = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 3 });
  forAll([edits, fc.nat()], 2_000, (changes, end) => {
    const bytes = Buffer.from(whole);
    for (const [at, octet] of changes) bytes[at % whole.length] = octet;
    const some = end % 4 === 0 ? bytes.subarray(0, end % whole.length) : bytes;
    const reading = readPageLeniently(some, TracebackRequestStatus, () => {});
    if (reading.status === 'read') expect(reading.value.items.length).toBeLessThanOrEqual(3);
  });
});

test('returns for any octets of an event', () => {
  const near = fc
    .tuple(fc.constantFrom('id', 'type', 'time', 'data', 'specversion'), fc.oneof(fc.jsonValue(), oddLength))
    .map(([name, value]) => Buffer.from(JSON.stringify({ ...createdEvent('1'), [name]: value })));
  forAll([fc.oneof(fc.uint8Array(), near)], 2_000, (bytes) => {
    expect(['event', 'unknown-type', 'unreadable']).toContain(readPlatformEvent(bytes).status);
  });
});

test('finds any circle of cursors, and takes no straight list for one', async () => {
  await forAllAsync([fc.nat({ max: 50 }), fc.nat({ max: 30 })], 500, async (straight, circle) => {
    let asked = 0;
    const nextOf = (at: number): number | undefined => {
      if (at + 1 < straight + circle) return at + 1;
      return circle === 0 ? undefined : straight;
    };
    const pages = itemsOfPages(async (cursor) => {
      asked += 1;
      const next = nextOf(Number(cursor ?? -1));
      return { items: ['x'], ...(next === undefined ? {} : { nextCursor: String(next) }) };
    });
    const ended = (async () => {
      for await (const item of pages) expect(item).toBe('x');
    })();
    expect(await codeOf(ended)).toBe(circle === 0 ? 'fulfilled' : 'response-unreadable');
    // A few times round at most.
    expect(asked).toBeLessThanOrEqual(4 * (straight + circle) + 4);
  });
});
