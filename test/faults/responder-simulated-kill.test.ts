import { basename, dirname } from 'node:path';
import { expect, test } from 'vitest';
import type { LogFiles } from '../../sdk/src/log/index.js';
import { EvidenceStore, type ReviewDecision } from '../../sdk/src/traceback/index.js';
import { labKey } from '../support/evidence-lab.js';
import { reportFault } from '../support/fault-counts.js';
import { answerIn, createAnswerDesk, createResponderClock, openResponder, requests } from '../support/responder-lab.js';
import type { AnswerDesk, ResponderClock } from '../support/responder-lab.js';
import { createSimulatedLogFiles, type Crash, type SimulatedLogFiles } from '../support/simulated-log-files.js';
import { aDecision, aRequest, SEVERAL_CALLS, uniqueOf } from '../support/traceback-cases.js';

const REQUESTS = requests(3);
const DECISIONS: readonly ReviewDecision[] = [
  aDecision({ requestId: 'r-2' }),
  aDecision({ decisionId: 'd-2', requestId: 'r-1', amendReason: 'the trunk was written down wrongly' }),
];

/** What was acknowledged. */
interface Promised {
  readonly accepted: Set<string>;
  readonly decided: Set<string>;
}

/**
 * A responder's life: requests come in, one goes to a person, a person decides and amends. Everything that was not acknowledged is handed in
 * again, as a platform and a person do.
 */
async function live(files: SimulatedLogFiles, desk: AnswerDesk, clock: ResponderClock, promised: Promised) {
  const { responder } = await openResponder({
    files,
    desk,
    clock,
    findMatch: ({ requestId }) => Promise.resolve(requestId === 'r-2' ? SEVERAL_CALLS : uniqueOf()),
  });
  for (const request of REQUESTS) {
    const { status } = await responder.submit(request);
    if (status !== 'refused') promised.accepted.add(request.requestId);
  }
  await responder.settled();
  for (const decision of DECISIONS) {
    const { status } = await responder.decide(decision);
    if (status !== 'refused') promised.decided.add(decision.decisionId);
    await responder.settled();
  }
  const isDone = responder.list().every(({ state }) => state === 'acknowledged');
  await responder.close();
  return isDone;
}

/**
 * Lets a life come to its kill, and then time pass, since a log whose disk refuses tries again by the clock: nothing that is not durable goes
 * out meanwhile.
 */
async function untilKilled(
  files: SimulatedLogFiles,
  kill: number,
  begin: (clock: ResponderClock) => Promise<unknown>,
): Promise<void> {
  const clock = createResponderClock();
  const life = { isOver: false };
  const ended = begin(clock)
    .catch(() => undefined)
    .finally(() => {
      life.isOver = true;
    });
  let turnsAfter = 0;
  while (!life.isOver && turnsAfter < TURNS_AFTER) {
    await new Promise((resolve) => setImmediate(resolve));
    if (files.operations() < kill) continue;
    turnsAfter += 1;
    if (turnsAfter % 20 === 0) clock.advance(1_000);
  }
  if (life.isOver) await ended;
}

/** After the kill: a few attempts of everything. */
const TURNS_AFTER = 200;

/** How many operations a life takes that nothing interrupts. */
async function operationsOfALife(): Promise<number> {
  const files = createSimulatedLogFiles();
  await live(files, createAnswerDesk(), createResponderClock(), { accepted: new Set(), decided: new Set() });
  return files.operations();
}

test.each<Crash>(['process', 'power', 'names', 'torn'])(
  'killed between every pair of file operations (%s), a responder gives exactly one answer to each request and revision',
  { timeout: 120_000 },
  async (crash) => {
    const operations = await operationsOfALife();
    let answers = 0;
    for (let kill = 0; kill <= operations; kill += 1) {
      const files = createSimulatedLogFiles();
      const desk = createAnswerDesk();
      const promised: Promised = { accepted: new Set(), decided: new Set() };
      files.killAfter(kill);
      await untilKilled(files, kill, (clock) => live(files, desk, clock, promised));
      const sent = desk.deliveries.length;
      // The one before is dead: what it would still do is not done.
      const after = files.afterCrash(crash);
      expect(await live(after, desk, createResponderClock(), promised)).toBe(true);
      const revisions = [...desk.taken.values()]
        .map(({ jws }) => answerIn(jws))
        .map(({ requestId, revision }) => `${requestId}/${String(revision)}`);
      expect({ kill, sent, revisions: revisions.toSorted(), contradictions: desk.contradictions() }).toEqual({
        ...{ kill, sent, contradictions: 0 },
        revisions: ['r-1/1', 'r-1/2', 'r-2/1', 'r-3/1'],
      });
      answers += revisions.length;
    }
    reportFault('responder-simulated-kill', {
      crash,
      kills: operations + 1,
      answers,
      answeredTwice: 0,
      answeredOtherwise: 0,
    });
  },
);

/** A life with evidence: one request, answered by itself, whose receipt belongs into the pack. */
async function liveWithEvidence(disk: SimulatedLogFiles, desk: AnswerDesk, clock: ResponderClock) {
  const files = simulatedFolders(disk);
  const logId = 'us.example/evidence';
  const store = await EvidenceStore.open({ directory: 'evidence', logId, signer: EVIDENCE.signer, files, clock });
  const { responder } = await openResponder({ files, desk, clock, evidence: store });
  await responder.submit(aRequest());
  for (let turn = 0; turn < 3; turn += 1) await responder.settled();
  const [given] = responder.entry('r-1')?.answers ?? [];
  await responder.close();
  const pack = await store.pack(given?.answer.evidence?.packId ?? '');
  const entries = await store.log.read(0, { maxEntries: 1_000 });
  await store.close();
  return { given, pack, entries: entries.map(({ octets }) => Buffer.from(octets).toString()) };
}

const EVIDENCE = labKey('ed25519');

test.each<Crash>(['process', 'power', 'names', 'torn'])(
  'killed between every pair of file operations (%s), the pack of an answer gets its receipt, and the log one entry of it',
  { timeout: 120_000 },
  async (crash) => {
    const whole = createSimulatedLogFiles();
    await liveWithEvidence(whole, createAnswerDesk(), createResponderClock());
    const operations = whole.operations();
    for (let kill = 0; kill <= operations; kill += 1) {
      const files = createSimulatedLogFiles();
      const desk = createAnswerDesk();
      files.killAfter(kill);
      await untilKilled(files, kill, (clock) => liveWithEvidence(files, desk, clock));
      const { given, pack, entries } = await liveWithEvidence(files.afterCrash(crash), desk, createResponderClock());
      const { delivery } = given ?? {};
      const receipt = delivery?.state === 'acknowledged' ? delivery.receipt : 'none';
      expect({ kill, answerJws: pack?.answerJws, receiptJws: pack?.receiptJws }).toEqual({
        ...{ kill, answerJws: given?.jws, receiptJws: receipt },
      });
      const packId = given?.answer.evidence?.packId ?? '';
      const ofPack = entries.filter((text) => text.includes(packId));
      expect({
        kill,
        answers: ofPack.filter((text) => text.includes('"kind":"answer"')).length,
        receipts: entries.filter((text) => text.includes('"kind":"receipt"')).length,
        filed: given?.filed?.state,
      }).toEqual({ kill, answers: 1, receipts: 1, filed: 'kept' });
      expect(desk.contradictions()).toBe(0);
    }
    reportFault('responder-evidence-kill', { crash, kills: operations + 1, receiptsLost: 0, receiptsTwice: 0 });
  },
);

/** Several folders on one simulated disk, which knows one: the name of the folder stands before that of the file. */
function simulatedFolders(files: LogFiles): LogFiles {
  const flat = (path: string): string => prefixOf(dirname(path)) + basename(path);
  return {
    makeDirectory: (directory) => files.makeDirectory(directory),
    list: async (directory) => {
      const prefix = prefixOf(directory);
      const all = await files.list(directory);
      return all.flatMap(({ name, sizeBytes }) =>
        name.startsWith(prefix) ? [{ name: name.slice(prefix.length), sizeBytes }] : [],
      );
    },
    create: (path) => files.create(flat(path)),
    open: (path) => files.open(flat(path)),
    rename: (from, to) => files.rename(flat(from), flat(to)),
    unlink: (path) => files.unlink(flat(path)),
    truncate: (path, sizeBytes) => files.truncate(flat(path), sizeBytes),
    syncDirectory: (directory) => files.syncDirectory(directory),
  };
}

/** No name of a file has such a character. */
const prefixOf = (directory: string): string => `${directory.replaceAll('/', '|')}|`;
