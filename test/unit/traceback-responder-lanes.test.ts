import { expect, test } from 'vitest';
import { createKeyedWork } from '../../sdk/src/traceback/responder/responder-core.js';
import type { TracebackRequest } from '../../sdk/src/traceback/index.js';
import { createAnswerDesk, openResponder } from '../support/responder-lab.js';
import type { ResponderLab } from '../support/responder-lab.js';
import { aRequest } from '../support/traceback-cases.js';

const ids = (count: number): readonly TracebackRequest[] =>
  Array.from({ length: count }, (_, index) => aRequest({ requestId: `r-${String(index + 1)}` }));
const never = <Value>(): Promise<Value> => new Promise(() => undefined);
const countOf = ({ responder }: ResponderLab, state: string): number =>
  responder.list().filter((one) => one.state === state).length;

async function until(isSo: () => boolean): Promise<void> {
  for (let round = 0; round < 100_000 && !isSo(); round += 1) await new Promise((resolve) => setImmediate(resolve));
}

test('a platform that does not answer holds up no signature', async () => {
  const { verifyReceipt } = createAnswerDesk();
  const lab = await openResponder({
    platform: { verifyReceipt, transport: { deliver: () => never() } },
    limits: { concurrency: 1 },
  });
  for (const request of ids(50)) await lab.responder.submit(request);
  await until(() => countOf(lab, 'signed') === 50);
  expect(countOf(lab, 'signed')).toBe(50);
  await lab.responder.close();
});

test('a notifier that never answers holds up no answer, and is asked again about each', async () => {
  let asked = 0;
  const lab = await openResponder({
    limits: { concurrency: 1 },
    notify: () => {
      asked += 1;
      return never();
    },
  });
  for (const request of ids(50)) await lab.responder.submit(request);
  await until(() => lab.desk.taken.size === 50);
  expect(lab.desk.taken.size).toBe(50);
  expect(asked).toBeLessThan(50);
  for (let round = 0; round < 10; round += 1) {
    lab.clock.advance(30_000);
    await until(() => lab.responder.statistics().failures.notify >= Math.min(50, 16 * (round + 1)));
  }
  expect(asked).toBeGreaterThanOrEqual(50);
  await lab.responder.close();
});

test('a cancellation that comes while a call is looked up is heard before anything is sent', async () => {
  let found = (): void => undefined;
  const lab = await openResponder({
    isHeld: async () => {
      await new Promise<void>((resolve) => (found = resolve));
      return false;
    },
  });
  await lab.responder.submit(aRequest());
  await until(() => found.name !== 'found');
  const cancelled = lab.responder.cancel('r-1');
  found();
  await cancelled;
  expect(lab.desk.deliveries).toEqual([]);
  expect(lab.responder.list()).toMatchObject([{ isCancelled: true }]);
  await lab.responder.close();
});

test('one answer that the platform bars while it takes the others keeps none of them waiting for long', async () => {
  const desk = createAnswerDesk();
  desk.setFault(({ requestId }) => (requestId === 'r-1' ? { status: 'barred', detail: 'forbidden' } : undefined));
  const lab = await openResponder({ desk });
  const { responder, clock } = lab;
  const waits: number[] = [];
  for (const request of ids(100)) {
    await responder.submit(request);
    for (let minute = 0; minute < 5; minute += 1) {
      await responder.settled();
      clock.advance(60_000);
    }
  }
  await responder.settled();
  for (const { requestId, receivedAtMs } of responder.list()) {
    const delivery = responder.entry(requestId)?.answers[0]?.delivery;
    if (delivery?.state === 'acknowledged') waits.push(delivery.atMs - receivedAtMs);
  }
  expect(waits).toHaveLength(99);
  // The first of the others: before it nobody knows that it is not the platform.
  expect(waits.filter((ms) => ms > 0)).toHaveLength(1);
  await responder.close();
});

test('work that waits for its turn at a key takes no place in its lane', async () => {
  const done: string[] = [];
  let goOn = (): void => undefined;
  const work = createKeyedWork({
    one: { concurrency: 1, isExclusive: true, run: async (key) => void done.push(key) },
  });
  const held = work.exclusively('a', () => new Promise<void>((resolve) => (goOn = resolve)));
  await Promise.resolve();
  work.enqueue('a', 'one');
  work.enqueue('b', 'one');
  await until(() => done.length > 0);
  expect(done).toEqual(['b']);
  goOn();
  await held;
  await work.idle();
  expect(done).toEqual(['b', 'a']);
  await work.stop();
});
