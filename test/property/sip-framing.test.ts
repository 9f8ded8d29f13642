import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { framed as asFrame, createFrameReader } from '../../harness/src/drachtio/control/frames.js';
import {
  createStreamFramer,
  type StreamEvent,
  type StreamLimits,
} from '../../harness/src/drachtio/message/parse-message.js';
import { readParsed } from '../../harness/src/drachtio/received.js';
import { expectSoundFields } from '../support/sip-invariants.js';
import { mutants, sipCorpus, sipLike } from '../support/sip-mutations.js';
import { arrivalOn, fakeFlow, requestText, responseText } from '../support/sip-samples.js';
import { forAll } from '../support/for-all.js';

/** A text cut into chunks at any places. */
const cutAt = (text: string, cuts: readonly number[]): readonly string[] => {
  const places = [0, ...cuts.map((cut) => cut % (text.length + 1)).toSorted((a, b) => a - b), text.length];
  return places.slice(1).map((end, index) => text.slice(places[index], end));
};
const cuts = fc.array(fc.nat(), { maxLength: 12 });
/** Limits that messages of the tests do reach. */
const SMALL: StreamLimits = { maxHeaderBytes: 120, maxHeaders: 20, maxHeaderSectionBytes: 600, maxMessageBytes: 900 };

function eventsOf(
  chunks: readonly string[],
  limits?: StreamLimits,
): { events: StreamEvent[]; isWaiting: boolean; pings: number } {
  const framer = createStreamFramer(limits);
  const all = chunks.flatMap((chunk) => framer.push(chunk));
  const events = all.filter(({ kind }) => kind !== 'ping');
  return { events, isWaiting: framer.isInMessage(), pings: all.length - events.length };
}

const corpus = sipCorpus();
const stream = fc
  .array(fc.oneof(mutants(corpus), fc.constantFrom(...corpus), fc.constantFrom('\r\n', '\r\n\r\n', '\n'), sipLike), {
    maxLength: 5,
  })
  .map((parts) => parts.join(''));

test('what a stream gives does not depend on where it is cut', () => {
  forAll([stream, cuts, fc.boolean()], 4_000, (text, places, isSmall) => {
    const limits = isSmall ? SMALL : undefined;
    const { pings, ...whole } = eventsOf([text], limits);
    const { pings: pingsInParts, ...parts } = eventsOf(cutAt(text, places), limits);
    expect(parts).toEqual(whole);
    expect(pingsInParts).toBeGreaterThanOrEqual(pings);
  });
});

test('the messages of a stream are its octets, in order, and what stands between them is line ends', () => {
  forAll([stream], 4_000, (text) => {
    let rest = text;
    for (const event of eventsOf([text]).events) {
      rest = rest.replace(/^[\r\n]+/, '');
      if (event.kind !== 'message') continue;
      const { message } = event.parsed;
      expectSoundFields(message);
      expect(rest.startsWith(message.text)).toBe(true);
      rest = rest.slice(message.text.length);
      expect(readParsed(event.parsed, arrivalOn(fakeFlow('tcp'))).status).toMatch(/^(read|refused)$/);
    }
  });
});

test('whole messages come out as they went in, however many and however cut', () => {
  const message = fc
    .tuple(fc.boolean(), fc.string({ unit: fc.constantFrom('\r\n', 'x', ':', '\0'), maxLength: 40 }))
    .map(([isRequest, body]) => (isRequest ? requestText('INFO', { body }) : responseText(200)));
  const keepAlive = fc.constantFrom('', '\r\n', '\r\n\r\n');
  forAll([fc.array(fc.tuple(keepAlive, message), { maxLength: 8 }), cuts], 1_000, (parts, places) => {
    const { events, isWaiting } = eventsOf(cutAt(parts.flat().join(''), places));
    const texts = events.map((event) => (event.kind === 'message' ? event.parsed.message.text : event.kind));
    expect(texts).toEqual(parts.map(([, text]) => text));
    expect(isWaiting).toBe(false);
  });
});

const framesOf = (chunks: readonly string[]): readonly (string | undefined)[] => {
  const reader = createFrameReader();
  const frames: (string | undefined)[] = [];
  for (const chunk of chunks) {
    const read = reader.push(chunk);
    if (read === undefined) return [...frames, undefined];
    frames.push(...read);
  }
  return frames;
};
const payload = fc.string({ unit: fc.nat(255).map((code) => String.fromCharCode(code)), maxLength: 30 });

test('frames come out as they went in, wherever they are cut', () => {
  forAll([fc.array(payload, { maxLength: 8 }), cuts], 2_000, (payloads, places) => {
    expect(framesOf(cutAt(payloads.map(asFrame).join(''), places))).toEqual(payloads);
  });
});

test('any stream gives frames until it cannot be read on, and no more of them wherever it is cut', () => {
  const junk = fc.oneof(payload, payload.map(asFrame), fc.stringMatching(/^[0-9#a]{0,9}$/));
  forAll([fc.array(junk, { maxLength: 5 }), cuts], 5_000, (parts, places) => {
    const text = parts.join('');
    const [whole, cut] = [framesOf([text]), framesOf(cutAt(text, places))];
    // Frames in front of what is wrong are lost with it where both came in one piece.
    if (whole.at(-1) === undefined && whole.length > 0) expect(cut.at(-1)).toBeUndefined();
    else expect(cut).toEqual(whole);
  });
});
