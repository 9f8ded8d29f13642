import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ProviderReference } from '../../sdk/src/contract/common.js';
import type { FindingArm, TracebackFinding } from '../../sdk/src/contract/traceback-exchange.js';
import { factsOf, lifecycleRules } from '../../sdk/src/traceback/lifecycle/traceback-state.js';
import type { TracebackEvent, TracebackState } from '../../sdk/src/traceback/lifecycle/traceback-state.js';
import { pendingEffects, viewTraceback } from '../../sdk/src/traceback/lifecycle/traceback-view.js';
import { compareProviders } from '../../sdk/src/contract/same-provider.js';
import { ARM_MEANINGS } from '../../sdk/src/traceback/lifecycle/statement.js';
import { startTraceback, stepTraceback, type TracebackStep } from '../../sdk/src/traceback/lifecycle/step-traceback.js';
import type { HopView, TracebackView } from '../../sdk/src/traceback/lifecycle/traceback-view.js';
import { answerTo, COURSE_START_MS, HOUR_MS, provider } from '../support/traceback-course.js';
import { forAll } from '../support/for-all.js';

/** Few providers, so that calls go round, cross twice and are denied often. */
const LETTERS = ['A', 'B', 'C', 'D', 'E'] as const;
const MAX_HOPS = 5;

/** What the model knows: what there was to be heard, and when it is. */
interface Model {
  nowMs: number;
  readonly heard: TracebackEvent[];
}

interface Real {
  state: TracebackState;
}

type Direction = 'back' | 'forward';

function begin(direction: Direction): TracebackState {
  const rules = lifecycleRules({ maxHops: MAX_HOPS, closeStalledAfterMs: 5 * 24 * HOUR_MS });
  return startTraceback({ tracebackId: 'tb-1', atMs: COURSE_START_MS, first: provider('A'), direction, rules }).state;
}

/** Something that happens: it is made of what the traceback looks like at the moment, and of a number for every choice. */
class Happening implements fc.Command<Model, Real> {
  constructor(
    readonly name: string,
    readonly choices: readonly number[],
    readonly make: (
      view: TracebackView,
      pick: <T>(list: readonly T[]) => T | undefined,
      real: Real,
    ) => object | undefined,
    readonly passMs: number,
  ) {}
  check(): boolean {
    return true;
  }
  run(model: Model, real: Real): void {
    model.nowMs += this.passMs;
    let index = 0;
    const pick = <T>(list: readonly T[]): T | undefined =>
      list[(this.choices[index++] ?? 0) % Math.max(1, list.length)];
    const made = this.make(viewTraceback(real.state), pick, real);
    if (made === undefined) return;
    const event = { tracebackId: 'tb-1', atMs: model.nowMs, ...made } as TracebackEvent;
    const before = real.state;
    const step = stepTraceback(before, event);
    real.state = step.state;
    if (step.reason === 'conflicting-repeat') return;
    model.heard.push(event);
    checkStep(before, event, step);
    checkView(step.state);
  }
  toString(): string {
    return `${this.name}(${this.choices.join(',')}) +${this.passMs}`;
  }
}

function checkStep(before: TracebackState, event: TracebackEvent, step: TracebackStep): void {
  if (step.status === 'refused' || step.status === 'unchanged') assert.equal(step.state, before);
  // The same event again changes nothing.
  const again = stepTraceback(step.state, event);
  assert.ok(again.status === 'unchanged' || again.status === 'refused');
  assert.equal(again.state, step.state);
  const pending = pendingEffects(step.state).map(({ effectId }) => effectId);
  assert.equal(new Set(pending).size, pending.length);
  assert.ok(step.effects.every(({ effectId }) => pending.includes(effectId)));
  const stored = JSON.parse(JSON.stringify(step.state)) as TracebackState;
  assert.deepEqual(stored, step.state);
  // A state that is read for the first time means the same as one that was reached step by step.
  assert.deepEqual(viewTraceback(stored), viewTraceback(step.state));
  assert.deepEqual(pendingEffects(stored), pendingEffects(step.state));
}

/** What must hold of every traceback at every moment. */
function checkView(state: TracebackState): void {
  const view = viewTraceback(state);
  const { path, left, outcome } = view;
  const hops = [...path, ...left];
  assert.ok(path.length >= 1 && path.length <= MAX_HOPS);
  // One request for each hop; each is asked by nothing else.
  assert.equal(new Set(hops.map(({ requestId }) => requestId)).size, hops.length);
  assert.ok(pendingEffects(state).filter(({ type }) => type === 'ask-provider').length <= 1);
  for (const hop of hops) checkHop(hop);
  // Only the last hop of the path may still have to be asked.
  assert.ok(path.slice(0, -1).every((hop) => !['planned', 'asked', 'acknowledged'].includes(hop.state)));
  if (outcome !== undefined) checkOutcome(view);
}

function checkOutcome({ path, outcome, disputes }: TracebackView): void {
  const tip = path.at(-1);
  assert.ok(tip !== undefined && outcome !== undefined);
  assert.equal(outcome.requestId, tip.requestId);
  const isOwnWord = /^(origin|point-of-entry|serves-number|no-record|number-not-ours|not-retained|refused)$/;
  if (isOwnWord.test(outcome.kind)) {
    // Never without the provider's own word.
    assert.ok(tip.current !== undefined && tip.provider !== undefined);
    assert.ok(compareProviders(tip.current.provider, tip.provider) !== 'different');
    if (outcome.kind === 'origin') assert.equal(tip.current.arm, 'origin');
  }
  if (tip.current !== undefined && tip.hop > 1 && ARM_MEANINGS[tip.current.arm].denies) {
    // Who denies is never anything but a party to a dispute.
    assert.ok(['disputed', 'several-neighbours', 'too-many-hops', 'loop'].includes(outcome.kind));
    assert.ok(disputes.some(({ disputeId }) => disputeId === `denied:${tip.requestId}`));
  }
  if (outcome.kind === 'non-responsive') assert.ok(tip.statements.length === 0 && tip.sentAtMs !== undefined);
}

function checkHop(hop: HopView): void {
  const isAnswered = hop.state === 'answered' || hop.state === 'corrected';
  assert.equal(isAnswered, hop.statements.length > 0);
  if (hop.state === 'non-responsive') assert.ok(hop.sentAtMs !== undefined);
  assert.equal(hop.hop > 1, hop.fromRequestId !== undefined);
}

/** Mostly a provider is named, so that tracebacks go far. */
const BACK_ARMS: readonly FindingArm[] = [
  ...Array.from({ length: 16 }, () => 'received-from' as const),
  'received-from-unlisted',
  'received-from-unlisted',
  'origin',
  'point-of-entry',
  'not-found',
  'not-retained',
  'not-our-number',
  'not-sent-to-downstream',
  'not-sent-to-downstream',
  'ambiguous',
  'refused',
];
const FORWARD_ARMS: readonly FindingArm[] = [
  ...Array.from({ length: 5 }, () => 'number-served-by' as const),
  'serves-number',
  'not-our-number',
  'origin',
];

function finding(arm: FindingArm, letter: string, named: ProviderReference = provider(letter)): TracebackFinding {
  const unlisted = { name: `Unlisted ${letter}` };
  const customer = { customerId: letter };
  const findings: { readonly [Arm in FindingArm]: Omit<Extract<TracebackFinding, { readonly arm: Arm }>, 'arm'> } = {
    'received-from': { upstream: named },
    'number-served-by': { provider: named },
    'received-from-unlisted': { upstream: unlisted },
    'point-of-entry': { upstream: unlisted },
    origin: { customer },
    'serves-number': { customer },
    'not-retained': { retainedFrom: '2026-01-01T00:00:00Z' },
    'not-sent-to-downstream': { downstream: provider(letter) },
    ambiguous: { candidates: 2 },
    refused: { reason: 'example' },
    'not-found': {},
    'not-our-number': {},
  };
  return { arm, ...findings[arm] } as TracebackFinding;
}

const allHops = ({ path, left }: TracebackView): readonly HopView[] => [...path, ...left];

type Make = Happening['make'];

/** Carries out what is pending, as a platform does; or reports that it cannot. Mostly the next provider is asked first. */
const carryOut: Make = (_view, pick, { state }) => {
  const pending = pendingEffects(state);
  const effect = pick([true, true, false]) === true ? pending[0] : pick(pending);
  if (effect === undefined) return undefined;
  if (effect.type === 'ask-provider') {
    const { requestId } = effect;
    const reason = pick(['', '', '', '', '', '', '', '', '', '', 'foreign', 'no-contact']);
    if (reason !== '') return { type: 'provider-not-askable', requestId, reason };
    return { type: 'request-sent', requestId, zone: pick(['America/New_York', 'Pacific/Guam']) };
  }
  if (effect.type === 'find-provider') {
    const { requestId } = effect;
    return { type: 'provider-identified', requestId, provider: provider(pick(LETTERS) ?? 'B') };
  }
  return { type: 'effect-done', effectId: effect.effectId };
};

/** The provider that is asked answers; now and then another does, or amends what it said. */
const answer =
  (arms: readonly FindingArm[]): Make =>
  (view, pick) => {
    const asked = allHops(view).filter(({ sentAtMs, provider: who }) => sentAtMs !== undefined && who !== undefined);
    const open = asked.filter(({ statements }) => statements.length === 0);
    const hop = pick([true, true, false]) === true ? (open[0] ?? pick(asked)) : pick(asked);
    const arm = pick(arms);
    if (hop?.provider === undefined || arm === undefined) return undefined;
    const revision = (hop.statements.at(-1)?.revision ?? 0) + 1;
    const letter = pick(LETTERS) ?? 'B';
    // The same provider in other words, with a code that others give it too.
    const renamed = { ...provider(letter), name: `Example ${letter} Inc`, spc: '9999' };
    const said = finding(arm, letter, pick([provider(letter), provider(letter), provider(letter), renamed]));
    return { type: 'answer-received', answer: answerTo(hop.requestId, hop.provider, said, { revision }) };
  };

/** An answer that another provider signed, or a second answer of one revision. */
const oddAnswer: Make = (view, pick) => {
  const hop = pick(allHops(view).filter(({ statements }) => statements.length > 0));
  if (hop?.provider === undefined) return undefined;
  const arm = pick(BACK_ARMS) ?? 'refused';
  const signer = pick([hop.provider, provider('Z')]) ?? hop.provider;
  // The id is made of what it says, as those of signed answers are.
  const answerId = `${hop.requestId}:odd:${arm}:${signer.name}`;
  return { type: 'answer-received', answer: answerTo(hop.requestId, signer, finding(arm, 'C'), { answerId }) };
};

const others: readonly Make[] = [
  (view, pick) => {
    const hop = pick(allHops(view));
    return hop === undefined ? undefined : { type: 'request-acknowledged', requestId: hop.requestId };
  },
  (_view, pick) => {
    const [sender, receiver] = [pick(LETTERS) ?? 'B', pick(LETTERS) ?? 'C'];
    return {
      type: 'neighbour-reported',
      reportId: `report-${sender}-${receiver}`,
      provider: provider(sender),
      sentTo: provider(receiver),
    };
  },
  (view, pick, { state }) => {
    const [hop, report] = [pick(view.path), pick(factsOf(state, 'report'))];
    if (hop === undefined || report === undefined) return undefined;
    return { type: 'neighbour-chosen', requestId: hop.requestId, reportId: report.id, by: 'reviewer' };
  },
  (view, pick) => {
    const dispute = pick(view.disputes);
    if (dispute === undefined) return undefined;
    const ruling = pick(['downstream-stands', 'upstream-stands', 'undecided']);
    return { type: 'dispute-decided', disputeId: dispute.disputeId, ruling, by: 'reviewer', reason: 'example' };
  },
  (view, pick) => {
    if (view.outcome === undefined || pick([true, false]) === false) return undefined;
    return { type: 'outcome-accepted', outcomeKey: view.outcome.key, by: 'reviewer' };
  },
  (_view, pick) => {
    const forwardId = pick(['f1', 'f2']);
    return { type: 'trace-forward-asked', forwardId, number: '12025550143', by: 'reviewer' };
  },
  () => ({ type: 'time-passed' }),
];

const choices = fc.array(fc.nat({ max: 1_000 }), { minLength: 5, maxLength: 5 });
/** Mostly minutes, so that things happen at the same time now and then; sometimes days, so that deadlines pass. */
const passMs = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(0, 0, 60_000, HOUR_MS) },
  { weight: 2, arbitrary: fc.integer({ min: HOUR_MS, max: 72 * HOUR_MS }) },
);

function happening(name: string, make: Make): fc.Arbitrary<Happening> {
  return fc.tuple(choices, passMs).map(([list, ms]) => new Happening(name, list, make, ms));
}

function happenings(direction: Direction): fc.Arbitrary<readonly Happening[]> {
  const arms = direction === 'back' ? BACK_ARMS : FORWARD_ARMS;
  const rare = others.map((make, index) => ({ weight: 1, arbitrary: happening(`other-${index}`, make) }));
  return fc.array(
    fc.oneof(
      { weight: 10, arbitrary: happening('carry-out', carryOut) },
      { weight: 8, arbitrary: happening('answer', answer(arms)) },
      { weight: 1, arbitrary: happening('odd-answer', oddAnswer) },
      ...rare,
      { weight: 1, arbitrary: happening('cancel', (_view, pick) => (pick(EIGHT) === 1 ? CANCELLED : undefined)) },
    ),
    { minLength: 10, maxLength: 60, size: 'max' },
  );
}

const EIGHT = [1, 2, 3, 4, 5, 6, 7, 8] as const;
const CANCELLED = { type: 'cancelled', by: 'requester', reason: 'example' } as const;

/** All events, in another order, and some of them twice. */
function shuffled(heard: readonly TracebackEvent[], seed: readonly number[]): readonly TracebackEvent[] {
  const list = heard.flatMap((event, index) => ((seed[index % seed.length] ?? 0) % 3 === 0 ? [event, event] : [event]));
  return list
    .map((event, index) => ({ event, rank: ((seed[index % seed.length] ?? 0) * (index + 7)) % 1_009 }))
    .sort((one, other) => one.rank - other.rank)
    .map(({ event }) => event);
}

test.for(['back', 'forward'] as const)('the order and the repetition of events change nothing: %s', (direction) => {
  const kinds = new Set<string>();
  forAll(
    [happenings(direction), fc.array(fc.nat({ max: 100_000 }), { minLength: 7, maxLength: 40 })],
    { numRuns: direction === 'back' ? 250 : 80, interruptAfterTimeLimit: 90_000 },
    (commands, seed) => {
      const model: Model = { nowMs: COURSE_START_MS, heard: [] };
      const real: Real = { state: begin(direction) };
      fc.modelRun(() => ({ model, real }), commands);
      kinds.add(viewTraceback(real.state).outcome?.kind ?? 'none');
      const order = shuffled(model.heard, seed);
      let state = begin(direction);
      for (const event of order) {
        const step = stepTraceback(state, event);
        // Of two answers of one id that say different things the first stands: there the order decides, and nothing is promised.
        if (step.reason === 'conflicting-repeat') return;
        ({ state } = step);
        checkView(state);
      }
      assert.deepEqual(state, real.state);
      assert.deepEqual(viewTraceback(state), viewTraceback(real.state));
      assert.deepEqual(pendingEffects(state), pendingEffects(real.state));
    },
  );
  if (direction === 'back') {
    // The worlds are rich enough: nearly every outcome was come to.
    const outcomes = ['ambiguous', 'disputed', 'foreign-provider', 'none', 'origin', 'point-of-entry', 'refused'];
    expect([...kinds]).toEqual(expect.arrayContaining(outcomes));
  }
});
