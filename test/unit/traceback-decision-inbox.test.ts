import { writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import {
  decisionResult,
  postDecision,
  waitingDecisions,
  withdrawDecision,
  createDecisionInbox,
} from '../../sdk/src/traceback/responder/decision-inbox.js';
import type { ReviewDecision } from '../../sdk/src/traceback/index.js';
import { testFolder } from '../support/test-folder.js';

const folder = testFolder();

const decisionOf = (decisionId: string): ReviewDecision => ({
  format: 'hopback.review-decision.1',
  decisionId,
  requestId: 'r-1',
  by: 'duty engineer',
  decidedAt: '2026-11-02T18:00:00Z',
  arm: 'ambiguous',
});
const waitingIds = async (): Promise<readonly string[]> =>
  (await waitingDecisions(folder.path)).map(({ decisionId }) => decisionId);

test('what was handed in waits until a responder has said what became of it', async () => {
  expect(await waitingIds()).toEqual([]);
  await postDecision(folder.path, decisionOf('d-1'));
  await postDecision(folder.path, decisionOf('d-2'));
  await writeFile(folder.at('inbox', 'd-3.decision.json'), '{');
  expect(await waitingIds()).toEqual(['d-1', 'd-2']);
  await createDecisionInbox(folder.path).finish('d-1.decision.json', { status: 'repeated' });
  // The result is there before the decision is gone.
  await writeFile(folder.at('inbox', 'd-2.result.json'), '{}');
  expect(await waitingIds()).toEqual([]);
});

test('what waits is taken back once', async () => {
  await postDecision(folder.path, decisionOf('d-1'));
  expect(await withdrawDecision(folder.path, 'd-1')).toBe(true);
  expect(await withdrawDecision(folder.path, 'd-1')).toBe(false);
  expect(await waitingIds()).toEqual([]);
  expect(await withdrawDecision(folder.at('nowhere'), 'd-1')).toBe(false);
});

test('a decision that is taken back while the inbox is read is left out', async () => {
  for (let at = 0; at < 20; at += 1) await postDecision(folder.path, decisionOf(`d-${String(at)}`));
  const reading = waitingDecisions(folder.path);
  await Promise.all(Array.from({ length: 20 }, (_, at) => withdrawDecision(folder.path, `d-${String(at)}`)));
  expect((await reading).length).toBeLessThanOrEqual(20);
  expect(await waitingIds()).toEqual([]);
});

test('a decision that is taken back is not carried out, and one that is being carried out is not taken back', async () => {
  const inbox = createDecisionInbox(folder.path);
  await postDecision(folder.path, decisionOf('d-1'));
  await postDecision(folder.path, decisionOf('d-2'));
  const [first, second] = await inbox.waiting(new Set());
  expect([first?.id, second?.id]).toEqual(['d-1', 'd-2']);
  expect(await withdrawDecision(folder.path, 'd-1')).toBe(true);
  expect(await inbox.begin(first?.name ?? '')).toBeUndefined();
  expect(await inbox.begin(second?.name ?? '')).toMatch(/\.decision\.begun$/);
  expect(await withdrawDecision(folder.path, 'd-2')).toBe(false);
  // A process that ended in the middle of it: the next one goes on, and people see that it is under way.
  expect(await waitingIds()).toEqual(['d-2']);
  const [begun] = await inbox.waiting(new Set());
  const name = await inbox.begin(begun?.name ?? '');
  expect(name).toBe(begun?.name);
  await inbox.finish(name ?? '', { status: 'repeated' });
  expect(await inbox.waiting(new Set())).toEqual([]);
  expect(await decisionResult(folder.path, 'd-2')).toEqual({ status: 'repeated' });
});
