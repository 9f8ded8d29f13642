import type { CallTruth, TrueAnswer } from '../../network/truth/index.js';
import type { SeenAnswer, SeenTraceback } from '../../oracle/index.js';
import type { RunRecord } from '../run-record.js';
import { html } from './markup.js';
import type { Content, Markup } from './markup.js';
import { answerText, counted, seenAnswerText } from './words.js';

/** Tracebacks that are drawn; those that came out wrong first. */
const MAX_SHOWN = 40;

/** How a traceback stands to the truth, and why it stands there. */
interface JudgedTraceback {
  readonly traceback: SeenTraceback;
  readonly truth: CallTruth;
  readonly isFair: boolean;
  readonly isRight: boolean;
}

/** Each traceback beside the true path, hop by hop from the callee up. */
export function tracebackSection({ facts, truthOf }: RunRecord): Markup {
  if (facts.tracebacks.length === 0) return html`<p>No call was traced back in this run.</p>`;
  const judged = facts.tracebacks
    .map((traceback) => judgedTraceback(traceback, truthOf(traceback.callIndex)))
    .toSorted((one, other) => Number(one.isFair) - Number(other.isFair));
  const left = judged.length - MAX_SHOWN;
  return html`<p class="soft">From the provider that served the called number up to where the call began. The first row is true; the second is what each said
      when it was asked. ≠ marks what is not true, ⌀ marks silence.</p>
    ${judged.slice(0, MAX_SHOWN).map(tracebackTable)}
    ${left > 0 ? html`<p>${counted(left, 'more traceback')} are in the folder of the run.</p>` : undefined}`;
}

function judgedTraceback(traceback: SeenTraceback, truth: CallTruth): JudgedTraceback {
  const { outcome } = traceback;
  const { culprit, fairOutcomes } = truth;
  const isRight = outcome?.kind === culprit.kind && outcome.provider === culprit.provider;
  const isFair =
    outcome !== undefined &&
    fairOutcomes.some(
      ({ kind, provider }) => kind === outcome.kind && (provider === undefined || provider === outcome.provider),
    );
  return { traceback, truth, isFair: isFair || isRight, isRight };
}

/** One provider of a traceback: on the true way, or asked although it is not on it. */
interface Column {
  readonly provider: string;
  readonly truth?: TrueAnswer;
  readonly answer?: SeenAnswer;
}

function tracebackTable({ traceback, truth, isFair, isRight }: JudgedTraceback): Markup {
  const { callIndex, outcome, state, answers } = traceback;
  const columns = columnsOf(truth, answers);
  const asked = new Set(answers.map(({ provider }) => provider));
  const said = outcome === undefined ? `it is ${state}` : outcomeText(outcome);
  const is = `${truth.culprit.kind.replaceAll('-', ' ')} ${truth.culprit.provider}`;
  const mark = isRight ? '✓ true' : isFair ? '✓ fair: the evidence carries no more' : '≠ not fair';
  return html`<h3 id="t-${callIndex}">Call ${callIndex}: ${said} <span class="${isFair ? 'good' : 'bad'}">${mark}</span></h3>
    <div class="scroll" tabindex="0" role="region" aria-label="Traceback of call ${callIndex} beside the true path"><table class="trace">
      <thead><tr><td></td>${columns.map(({ provider, truth: known }) => html`<th scope="col">${provider}${known === undefined ? html` <span class="bad">≠ not on the way</span>` : undefined}</th>`)}<th scope="col">Outcome</th></tr></thead>
      <tbody>
        <tr><th scope="row">True</th>${columns.map(({ truth: known }) => html`<td>${known === undefined ? 'did not carry it' : answerText(known)}</td>`)}<td>${is}</td></tr>
        <tr><th scope="row">Said</th>${columns.map((column) => answerCell(column, asked.has(column.provider)))}<td class="${isFair ? '' : 'lie'}">${isFair ? '' : '≠ '}${said}</td></tr>
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
    .map(({ provider, truth }): Column => ({ provider, truth, ...take(provider) }));
  return [...onWay, ...left.map((answer): Column => ({ provider: answer.provider, answer }))];
}

/** Kinds of answers that say nothing, rather than something that is not so. */
const QUIET: ReadonlySet<string> = new Set(['silent', 'refused', 'non-responsive', 'overdue', 'ambiguous', 'no-answer']);

/** Whether an answer is the true one. Undefined: it says nothing that could be true. */
function isTruthful({ truth, answer }: Column): boolean | undefined {
  if (answer === undefined || QUIET.has(answer.kind)) return undefined;
  if (truth === undefined) return answer.kind === 'not-found' || answer.kind === 'not-ours';
  if (truth.kind === 'upstream') return answer.named === truth.provider;
  return answer.kind === truth.kind;
}

function answerCell(column: Column, wasAsked: boolean): Markup {
  const { answer } = column;
  const cell = (kind: string, content: Content): Markup => html`<td class="${kind}">${content}</td>`;
  if (answer === undefined) return wasAsked ? cell('quiet', '⌀ no answer') : cell('', html`<span class="soft">no answer, or not asked</span>`);
  const text = seenAnswerText(answer);
  const truthful = isTruthful(column);
  const hours = answer.afterMs / 3_600_000;
  const after = html`<br><span class="soft">after ${hours < 1 ? `${Math.round(answer.afterMs / 1_000)} s` : `${hours.toFixed(1)} h`}</span>`;
  if (truthful === undefined) return cell('quiet', html`⌀ ${text}${after}`);
  return truthful ? cell('', html`✓ ${text}${after}`) : cell('lie', html`≠ ${text}${after}`);
}
