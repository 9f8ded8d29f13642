import { expect, test } from 'vitest';
import type { PlatformContext } from '../../harness/src/platform/core/index.js';
import type { TestContext } from '../support/itg-context.js';
import { createTracebacksLab, from } from '../support/itg-tracebacks.js';

/** Each break is a transaction on the embedded database, which takes seconds where ten others share the processor. */
const PATIENCE_MS = 240_000;

/** A context in which the transaction breaks off at one of the things that it writes; at none where `at` is 0. */
function breakingAt(context: TestContext, fault: { at: number }): TestContext {
  const counted =
    <Parameters extends readonly unknown[], Result>(write: (...given: Parameters) => Promise<Result>) =>
    async (...given: Parameters): Promise<Result> => {
      fault.at -= 1;
      if (fault.at === 0) throw new Error('the process died here');
      return write(...given);
    };
  const { audit, tell, announce, sealed } = context;
  return {
    ...context,
    audit: counted(audit),
    tell: counted<Parameters<PlatformContext['tell']>, void>(tell),
    announce: counted(announce),
    sealed: { ...sealed, seal: counted(sealed.seal) },
  };
}

test(
  'an answer whose transaction breaks off at any write leaves nothing behind, and is stored once when it is sent again',
  async () => {
    const fault = { at: 0 };
    await using lab = await createTracebacksLab({ contextOf: (whole) => breakingAt(whole, fault) });
    const { context } = lab;
    await lab.open();
    const request = await lab.requestTo('a');
    const stored = async (): Promise<unknown> => [await context.events(), (await context.audited()).length];
    const before = await stored();
    let breaks = 0;
    for (let at = 1; at < 40; at += 1) {
      fault.at = at;
      const answered = await lab.answer('a', from('b'), { request }).catch(() => undefined);
      if (answered !== undefined) {
        expect(answered.kind).toBe('json');
        break;
      }
      breaks += 1;
      expect(await stored()).toEqual(before);
    }
    fault.at = 0;
    // The JWS, the next request, its event, the audit, the event of the answer.
    expect(breaks).toBeGreaterThanOrEqual(5);
    const events = (await context.events()).map(
      ({ type, audience }) => `${type.split('.').slice(2).join('.')} ${audience.join()}`,
    );
    expect(events.toSorted()).toEqual([
      'traceback-answer.received.1 prv-a,itg',
      'traceback-request.created.1 prv-a',
      'traceback-request.created.1 prv-b',
    ]);
    expect((await lab.requestTo('b')).hop).toBe(2);
  },
  PATIENCE_MS,
);
