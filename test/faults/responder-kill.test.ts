import { spawn } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { compactVerify } from 'jose';
import { expect, test } from 'vitest';
import { SeededRandom } from '../../harness/src/faults/seeded-random.js';
import { postDecision } from '../../sdk/src/traceback/responder/decision-inbox.js';
import type { TracebackAnswer } from '../../sdk/src/traceback/index.js';
import { createTemporaryDirectory } from '../peers/temporary-directory.js';
import { startAnswerPlatform, type AnswerPlatform } from '../support/answer-platform.js';
import { faultCount, reportFault } from '../support/fault-counts.js';
import { ANSWER_KEY_PEM } from '../support/responder-lab.js';
import { aRequest, SECOND_ID } from '../support/traceback-cases.js';

const KILLS = faultCount({ short: 50, full: 1_000 });
/** New requests of each life; the fifth goes to a person. */
const REQUESTS_A_LIFE = 5;
const VICTIM = fileURLToPath(new URL('../support/responder-victim.mjs', import.meta.url));

/** Starts a responder; resolves once it says that it is ready. */
async function startVictim(argv: readonly string[]) {
  const child = spawn(process.execPath, [VICTIM, ...argv], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exit = once(child, 'exit');
  const lines = createInterface({ input: child.stdout });
  await Promise.race([once(lines, 'line'), exit]);
  return { child, exit };
}

test(
  `a responder killed ${String(KILLS)} times at any instant gives exactly one answer to each request, in one and the same bytes`,
  { timeout: 60_000 + 5_000 * KILLS },
  async () => {
    await using directory = await createTemporaryDirectory();
    await using platform = await startAnswerPlatform();
    const [keyFile, keysFile] = [join(directory.path, 'key.pem'), join(directory.path, 'keys.json')];
    await writeFile(keyFile, ANSWER_KEY_PEM);
    await writeFile(keysFile, platform.keys);
    const responder = join(directory.path, 'responder');
    const argv = [responder, platform.url, keyFile, keysFile];
    const random = new SeededRandom(20_261_125);
    let asked = 0;
    for (let life = 0; life < KILLS; life += 1) {
      platform.setFaults(() => random.next(), [0, 0.3, 0.9][life % 3] ?? 0);
      for (let one = 0; one < REQUESTS_A_LIFE; one += 1) asked = askFor(platform, asked);
      await decideOpen(platform, responder);
      const { child, exit } = await startVictim(argv);
      // From its first word to the platform on it matches, signs and sends.
      await Promise.race([platform.nextRequest(), exit]);
      await new Promise((resolve) => setTimeout(resolve, random.int(600)));
      child.kill('SIGKILL');
      const [, signal] = (await exit) as [number | null, NodeJS.Signals | null];
      expect(signal).toBe('SIGKILL');
    }
    platform.setFaults(undefined, 0);
    const answeredBefore = asked - platform.open().length;
    const last = await startVictim(argv);
    const startedMs = performance.now();
    while (platform.open().length > 0 && performance.now() - startedMs < 50_000) {
      await decideOpen(platform, responder);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    last.child.kill('SIGKILL');
    await last.exit;
    const figures = await heldAgainst(platform, asked);
    expect(figures).toMatchObject({ unanswered: 0, answeredOtherwise: 0, badSignatures: 0 });
    reportFault('responder-kill', { kills: KILLS, requests: asked, answeredWhileKilled: answeredBefore, ...figures });
  },
);

function askFor(platform: AnswerPlatform, asked: number): number {
  const isForPerson = asked % REQUESTS_A_LIFE === REQUESTS_A_LIFE - 1;
  const requestId = `r-${String(asked)}${isForPerson ? '-review' : ''}`;
  platform.ask(aRequest({ requestId, issuedAt: new Date(Date.now() - 60_000).toISOString() }));
  return asked + 1;
}

/** A person decides what is open, and hands it in again until there is an answer: the responder may not have had the request yet. */
async function decideOpen(platform: AnswerPlatform, responder: string): Promise<void> {
  for (const requestId of platform.open()) {
    if (!requestId.endsWith('-review')) continue;
    await postDecision(responder, {
      format: 'hopback.review-decision.1',
      decisionId: `d-${requestId}`,
      requestId,
      by: 'duty engineer',
      decidedAt: new Date().toISOString(),
      arm: 'received-from',
      candidate: SECOND_ID,
    });
  }
}

/** Every body that the platform ever got, held against one answer for each request. */
async function heldAgainst(platform: AnswerPlatform, asked: number) {
  const key = createPublicKey(ANSWER_KEY_PEM);
  let [answeredOtherwise, badSignatures, repeats, byPerson] = [0, 0, 0, 0];
  for (const [requestId, bodies] of platform.answers) {
    if (new Set(bodies).size > 1) answeredOtherwise += 1;
    repeats += bodies.length - 1;
    const { payload } = await compactVerify(bodies[0] ?? '', key);
    const answer = JSON.parse(new TextDecoder().decode(payload)) as TracebackAnswer;
    if (answer.requestId !== requestId || answer.revision !== 1) badSignatures += 1;
    if (answer.answeredBy.kind === 'person') byPerson += 1;
  }
  return { unanswered: asked - platform.answers.size, answeredOtherwise, badSignatures, repeats, byPerson };
}
