import type { NetworkPlan } from '../../network/plan/index.js';
import type { CallTruth, TrueAnswer, TrueStatement } from '../../network/truth/index.js';
import type { SeenAnswer, SeenTraceback } from '../../oracle/index.js';
import type { RunRecord } from '../run-record.js';
import { html } from './markup.js';
import type { Markup } from './markup.js';
import { answerText, counted, seenAnswerText } from './words.js';

/** Tracebacks that are drawn; those that came out wrong first. */
const MAX_SHOWN = 40;

/** How a traceback stands to the truth, and why it stands there. */
interface JudgedTraceback {
  readonly traceback: SeenTraceback;
  readonly truth: CallTruth;
  readonly plan: NetworkPlan;
  /** The oracle has nothing against what it came to. */
  readonly isFair: boolean;
  readonly isRight: boolean;
}

/** Each traceback beside the true path, hop by hop from the callee up. */
export function tracebackSection({ facts, truthOf, plan, oracle }: RunRecord): Markup {
  if (facts.tracebacks.length === 0) return html`<p>No call was traced back in this run.</p>`;
  const unfair = new Set(
    oracle.findings.flatMap(({ kind, tracebackId }) => (kind === 'accusation' || kind === 'traceback' ? [tracebackId] : [])),
  );
  const judged = facts.tracebacks
    .map((traceback): JudgedTraceback => {
      const truth = truthOf(traceback.callIndex);
      const { outcome, tracebackId } = traceback;
      const isRight = outcome?.kind === truth.culprit.kind && outcome.provider === truth.culprit.provider;
      return { traceback, truth, plan, isRight, isFair: !unfair.has(tracebackId) };
    })
    .toSorted((one, other) => Number(one.isFair) - Number(other.isFair));
  const left = judged.length - MAX_SHOWN;
  return html`<p class="soft">From the provider that served the called number up to where the call began. The first row is true; the second is what each said
      when it was asked. ≠ marks what is not true, ⌀ marks silence.</p>
    ${judged.slice(0, MAX_SHOWN).map(tracebackTable)}
    ${left > 0 ? html`<p>${counted(left, 'more traceback')} are not shown; all are in summary.json.</p>` : undefined}`;
}

/** One provider of a traceback: on the true way, or asked although it is not on it. */
interface Column {
  readonly provider: string;
  readonly statement?: TrueStatement;
  readonly answer?: SeenAnswer;
}

function tracebackTable({ traceback, truth, plan, isFair, isRight }: JudgedTraceback): Markup {
  const { callIndex, outcome, state, answers } = traceback;
  const columns = columnsOf(truth, answers);
  const said = outcome === undefined ? `it is ${state}` : outcomeText(outcome);
  const is = `${truth.culprit.kind.replaceAll('-', ' ')} ${truth.culprit.provider}`;
  const mark = !isFair ? '≠ not fair' : isRight ? '✓ true' : '✓ fair: the evidence carries no more';
  return html`<h3 id="t-${callIndex}">Call ${callIndex}: ${said} <span class="${isFair ? 'good' : 'bad'}">${mark}</span></h3>
    <div class="scroll" tabindex="0" role="region" aria-label="Traceback of call ${callIndex} beside the true path"><table class="trace">
      <thead><tr><td></td>${columns.map(({ provider, statement }) => html`<th scope="col">${provider}${statement === undefined ? html` <span class="bad">≠ not on the way</span>` : undefined}</th>`)}<th scope="col">Outcome</th></tr></thead>
      <tbody>
        <tr><th scope="row">True</th>${columns.map(({ statement }) => html`<td>${statement === undefined ? 'did not carry it' : answerText(statement.truth)}</td>`)}<td>${is}</td></tr>
        <tr><th scope="row">Said</th>${columns.map((column) => answerCell(column, plan))}<td class="${isFair ? '' : 'lie'}">${isFair ? '' : '≠ '}${said}</td></tr>
      </tbody></table></div>`;
}

function outcomeText({ kind, provider }: { readonly kind: string; readonly provider?: string }): string {
  const words = kind.replaceAll('-', ' ');
  return provider === undefined ? words : `${words} ${provider}`;
}

/** The way from its end up, then whoever was asked beside it. What is true of a provider is told for each of its hops. */
function columnsOf({ hops, answers: statements }: CallTruth, answers: readonly SeenAnswer[]): readonly Column[] {
  const left = [...answers];
  const take = (provider: string): Pick<Column, 'answer'> => {
    const at = left.findIndex((answer) => answer.provider === provider);
    const [answer] = at < 0 ? [] : left.splice(at, 1);
    return answer === undefined ? {} : { answer };
  };
  const onWay = statements
    .slice(0, hops.length)
    .toReversed()
    .map((statement): Column => ({ provider: statement.provider, statement, ...take(statement.provider) }));
  return [...onWay, ...left.map((answer): Column => ({ provider: answer.provider, answer }))];
}

/** Answers of the wire in the words of the truth; what is not here says nothing that could be true or false. */
const KINDS: Readonly<Record<string, TrueAnswer['kind'] | 'unlisted' | undefined>> = {
  'received-from': 'upstream',
  upstream: 'upstream',
  'received-from-unlisted': 'unlisted',
  unlisted: 'unlisted',
  origin: 'origin',
  'point-of-entry': 'point-of-entry',
  'not-found': 'not-found',
  'not-our-number': 'not-found',
  'not-sent-to-downstream': 'not-found',
  'not-retained': 'not-retained',
};

/** Whether an answer is the true one. Undefined: it says nothing that could be true. */
function isTruthful({ statement, answer }: Column, { providers }: NetworkPlan): boolean | undefined {
  const kind = answer === undefined ? undefined : KINDS[answer.kind];
  if (answer === undefined || kind === undefined) return undefined;
  if (statement === undefined) return kind === 'not-found';
  const { truth } = statement;
  const isNamed = (id: string): boolean => {
    const provider = providers.find((one) => one.id === id);
    return [id, provider?.name, provider?.providerId].includes(answer.named);
  };
  if (truth.kind === 'upstream') return kind === 'upstream' && isNamed(truth.provider);
  if (truth.kind === 'point-of-entry' && kind === 'upstream') return isNamed(truth.foreign);
  return kind === truth.kind;
}

function answerCell(column: Column, plan: NetworkPlan): Markup {
  const { answer, statement } = column;
  if (answer === undefined) {
    const isSilent = statement?.given.kind === 'silent';
    return isSilent
      ? html`<td class="quiet">⌀ silent</td>`
      : html`<td><span class="soft">not asked, or no answer</span></td>`;
  }
  const hours = answer.afterMs / 3_600_000;
  const after = html`<br><span class="soft">after ${hours < 1 ? `${Math.round(answer.afterMs / 1_000)} s` : `${hours.toFixed(1)} h`}</span>`;
  const text = seenAnswerText(answer);
  const truthful = isTruthful(column, plan);
  if (truthful === undefined) return html`<td class="quiet">⌀ ${text}${after}</td>`;
  return truthful ? html`<td>✓ ${text}${after}</td>` : html`<td class="lie">≠ ${text}${after}</td>`;
}
