import type { NetworkPlan } from '../../network/plan/index.js';
import { askedProviders, isForeign, isTruthful, judgedTracebacks } from '../judged-traceback.js';
import type { AskedProvider, JudgedTraceback } from '../judged-traceback.js';
import type { RunRecord } from '../run-record.js';
import { html } from './markup.js';
import type { Markup } from './markup.js';
import { answerText, counted, outcomeText, seenAnswerText } from './words.js';

/** Tracebacks that are drawn; those that came out wrong first. */
const MAX_SHOWN = 40;

/** Each traceback beside the true path, hop by hop from the callee up. */
export function tracebackSection(record: RunRecord): Markup {
  const { facts, plan } = record;
  if (facts.tracebacks.length === 0) return html`<p>No call was traced back in this run.</p>`;
  const judged = judgedTracebacks(record).toSorted((one, other) => Number(one.isFair) - Number(other.isFair));
  const strange = facts.tracebacks.length - judged.length;
  const left = judged.length - MAX_SHOWN;
  return html`<p class="soft">
      From the provider that served the called number up to where the call began. The first row is true; the second is
      what each said when it was asked. ≠ marks what is not true, ⌀ marks silence.
    </p>
    ${strange > 0 ? html`<p class="bad">≠ ${counted(strange, 'traceback')} about no call of the plan.</p>` : undefined}
    ${judged.slice(0, MAX_SHOWN).map((one) => tracebackTable(one, plan))}
    ${left > 0 ? html`<p>${counted(left, 'more traceback')} are not shown; all are in summary.json.</p>` : undefined}`;
}

function tracebackTable({ traceback, truth, isFair, isRight }: JudgedTraceback, plan: NetworkPlan): Markup {
  const { callIndex, outcome, state, answers } = traceback;
  const columns = askedProviders(truth, answers);
  const said = outcome === undefined ? `it is ${state}` : outcomeText(outcome);
  const is = `${truth.culprit.kind.replaceAll('-', ' ')} ${truth.culprit.provider}`;
  const mark = !isFair ? '≠ not fair' : isRight ? '✓ true' : '✓ fair: the evidence carries no more';
  return html`<h3 id="t-${callIndex}">
      Call ${callIndex}: ${said} <span class="${isFair ? 'good' : 'bad'}">${mark}</span>
    </h3>
    <div class="scroll" tabindex="0" role="region" aria-label="Traceback of call ${callIndex} beside the true path">
      <table class="trace">
        <thead>
          <tr>
            <td></td>
            ${columns.map(({ provider, statement }) => html`<th scope="col">${provider}${statement === undefined ? html` <span class="bad">≠ not on the way</span>` : undefined}</th>`)}
            <th scope="col">Outcome</th>
          </tr>
        </thead>
        <tbody>
          <tr>
            <th scope="row">True</th>
            ${columns.map(({ statement }) => html`<td>${statement === undefined ? 'did not carry it' : answerText(statement.truth)}</td>`)}
            <td>${is}</td>
          </tr>
          <tr>
            <th scope="row">Said</th>
            ${columns.map((column) => answerCell(column, plan))}
            <td class="${isFair ? '' : 'lie'}">${isFair ? '' : '≠ '}${said}</td>
          </tr>
        </tbody>
      </table>
    </div>`;
}

function answerCell(column: AskedProvider, plan: NetworkPlan): Markup {
  const { answer, statement } = column;
  if (answer === undefined) {
    if (isForeign(column.provider, plan)) return html`<td><span class="soft">abroad: nobody can ask it</span></td>`;
    const isSilent = statement?.given.kind === 'silent';
    return isSilent
      ? html`<td class="quiet">⌀ silent</td>`
      : html`<td><span class="soft">not asked, or no answer</span></td>`;
  }
  const hours = answer.afterMs / 3_600_000;
  const after = html`<br /><span class="soft"
      >after ${hours < 1 ? `${Math.round(answer.afterMs / 1_000)} s` : `${hours.toFixed(1)} h`}</span
    >`;
  const text = seenAnswerText(answer);
  const truthful = isTruthful(column, plan);
  if (truthful === undefined) return html`<td class="quiet">⌀ ${text}${after}</td>`;
  return truthful ? html`<td>✓ ${text}${after}</td>` : html`<td class="lie">≠ ${text}${after}</td>`;
}
