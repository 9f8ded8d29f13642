import fc from 'fast-check';
import { expect, test } from 'vitest';
import { WIRE_EXAMPLES } from '../../sdk/src/platform/index.js';
import { startTraceback, stepTraceback } from '../../sdk/src/traceback/lifecycle/step-traceback.js';
import { pendingEffects, viewTraceback } from '../../sdk/src/traceback/lifecycle/traceback-view.js';
import type { ProviderReference, TracebackAnswer, TracebackFinding } from '../../sdk/src/traceback/index.js';
import type { TracebackState } from '../../sdk/src/traceback/lifecycle/traceback-state.js';
import { shownTraceback } from '../../sdk/src/itg-core/traceback-exchange.js';
import type { TracebackFacts } from '../../sdk/src/itg-core/traceback-exchange.js';
import { withoutNumbers } from '../../harness/src/platform/domain/tracebacks/veiled-answer.js';
import { forAll } from '../support/for-all.js';

const { call: _call, ...ANSWER } = WIRE_EXAMPLES.TracebackAnswer[0].value;
const AT_MS = Date.UTC(2026, 1, 3, 15);
const LETTERS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
const provider = (letter: string) => ({ providerId: `prv-${letter}-id`, name: `Carrier ${letter} LLC` });

const receivedFrom = (upstream: ProviderReference): TracebackFinding => ({ arm: 'received-from', upstream });
const REFUSED: TracebackFinding = { arm: 'refused', reason: 'no' };

/** What a provider may answer: it names another, or says something of itself. */
const anyFinding: fc.Arbitrary<TracebackFinding> = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...LETTERS.map(provider)).map(receivedFrom) },
  fc.constantFrom<TracebackFinding>({ arm: 'origin', customer: {} }, { arm: 'not-found' }, REFUSED),
);

/** Asks and answers until there is nothing more to ask, or the findings are used up. */
function conducted(findings: readonly TracebackFinding[]): TracebackState {
  let { state } = startTraceback({ tracebackId: 't-1', atMs: AT_MS, first: provider('a') });
  for (const [index, finding] of findings.entries()) {
    const ask = pendingEffects(state).find(({ type }) => type === 'ask-provider');
    if (ask?.type !== 'ask-provider') break;
    const { requestId } = ask;
    const atMs = AT_MS + index * 60_000;
    state = stepTraceback(state, { type: 'request-sent', tracebackId: 't-1', requestId, atMs, zone: 'UTC' }).state;
    const answer: TracebackAnswer = {
      ...{ ...ANSWER, answerId: `answer-${index}`, requestId, tracebackId: 't-1' },
      ...{ answeredAt: new Date(atMs).toISOString(), provider: ask.provider, finding },
    };
    state = stepTraceback(state, { type: 'answer-received', tracebackId: 't-1', atMs: atMs + 1, answer }).state;
  }
  return state;
}

function factsOf(state: TracebackState): TracebackFacts {
  return {
    ...{ tracebackId: 't-1', direction: 'back', view: viewTraceback(state), requests: new Map() },
    requester: { kind: 'itg', name: 'Traceback group' },
    call: { called: 'whole', at: { asWritten: 'x', local: '2026-02-03', precision: 'day' } },
    ...{ openedAtMs: AT_MS, updatedAtMs: AT_MS },
  };
}

test('a provider is shown no provider but itself and its neighbours on the call, whatever was answered', () => {
  forAll([fc.array(anyFinding, { maxLength: 8 }), fc.constantFrom(...LETTERS)], 100, (findings, letter) => {
    const facts = factsOf(conducted(findings));
    const { providerId } = provider(letter);
    const { path, left } = facts.view;
    const hops = [...path, ...left];
    const mine = hops.filter((hop) => hop.provider?.providerId === providerId);
    const beside = new Set([
      providerId,
      ...mine.flatMap((hop) =>
        hop.current?.upstream?.providerId === undefined ? [] : [hop.current.upstream.providerId],
      ),
      ...hops
        .filter((hop) => hop.current?.upstream?.providerId === providerId)
        .flatMap((hop) => (hop.provider?.providerId === undefined ? [] : [hop.provider.providerId])),
    ]);
    const askedCall = { called: 'own', at: facts.call.at };
    const shown = JSON.stringify(shownTraceback(facts)({ kind: 'provider', providerId, askedCall, isOpener: false }));
    for (const other of LETTERS) {
      if (beside.has(provider(other).providerId)) continue;
      expect(shown).not.toContain(provider(other).providerId);
      expect(shown).not.toContain(provider(other).name);
    }
    expect(shown).not.toContain('whole');
    expect(JSON.stringify(shownTraceback(facts)({ kind: 'opener' }))).not.toContain('prv-');
  });
});

test('no text keeps seven digits or more of a number, however it is written', () => {
  const separators = fc.constantFrom('', ' ', '-', '.', ') ', '/');
  const number = fc.array(fc.tuple(fc.constantFrom('0', '1', '2', '5', '9'), separators), {
    minLength: 7,
    maxLength: 15,
  });
  forAll([fc.string(), number, fc.string()], 100, (before, digits, after) => {
    const written = digits.map(([digit, separator]) => digit + separator).join('');
    expect(withoutNumbers(`${before}x+${written}x${after}`)).not.toContain(written.trim());
  });
});
