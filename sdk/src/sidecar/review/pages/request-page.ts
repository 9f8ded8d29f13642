import { html } from 'hono/html';
import type { CandidateView, ReviewView } from '../../../traceback/index.js';
import { decisionForm } from './decision-form.js';
import type { FilledForm } from './decision-form.js';
import { factList, page, problemBox } from './layout.js';
import type { Html, PageFrame } from './layout.js';
import { deadlineMark, STATE_TEXTS } from './list-page.js';
import type { Times } from './times.js';

/** What the page of a request shows. */
export interface RequestPageParts {
  readonly view: ReviewView;
  readonly times: Times;
  /** What was filled in, and the token of the form. */
  readonly form: FilledForm;
  /** Why what was sent cannot be carried out. */
  readonly problems: readonly string[];
  /** Whether a decision was taken a moment ago. */
  readonly isTaken: boolean;
}

/** The page of one request: what is asked, the calls that may be meant, what speaks for and against each, and what can be answered. */
export function requestPage(frame: Omit<PageFrame, 'title'>, parts: RequestPageParts): Html {
  const { view, times, form, problems, isTaken } = parts;
  const path = `${frame.base}/requests/${encodeURIComponent(view.requestId)}`;
  const [action] = view.actions;
  return page(
    { ...frame, title: `Request ${view.requestId}` },
    html`<p><a href="${frame.base}">All requests</a></p>
      ${problems.length === 0 ? '' : problemBox('This cannot be answered yet', problems)}
      ${isTaken ? html`<p class="note" role="status">Your decision was taken. It is signed and sent now; this page shows how far it is when it is loaded anew.</p>` : ''}
      <p>${deadlineMark(view.deadline)} ${times.shown(view.deadline.dueAt)}; ${stateText(view.state)}</p>
      ${section('Asked', factList(view.request))}
      <p>
        ${view.isMasked ? html`Telephone numbers are masked. <a href="${path}?numbers=shown">Show them</a>, which is recorded.` : html`Telephone numbers are shown. <a href="${path}">Mask them</a>.`}
      </p>
      ${listSection('Why a person is asked', view.reasons)} ${callSection(view, times)} ${comparisonTable(view)}
      ${view.searched.length === 0 ? '' : section('Searched', factList(view.searched))}
      ${view.proposed === undefined ? '' : section('What the policy would answer', html`<p>${proposedText(view)}</p>`)}
      ${givenSection(view, times)}
      ${listSection(
        'Beware',
        view.warnings.map(({ text }) => text),
      )}
      ${action === undefined ? html`<p class="note">Nothing can be answered to this request now.</p>` : decisionForm({ view, action, path, form })}`,
  );
}

function stateText(state: string): string {
  return Object.hasOwn(STATE_TEXTS, state) ? STATE_TEXTS[state as keyof typeof STATE_TEXTS] : state;
}

function section(title: string, content: Html): Html {
  return html`<section>
    <h2>${title}</h2>
    ${content}
  </section>`;
}

function listSection(title: string, items: readonly string[]): Html | '' {
  if (items.length === 0) return '';
  return section(
    title,
    html`<ul>
      ${items.map((item) => html`<li>${item}</li>`)}
    </ul>`,
  );
}

function callSection({ candidates, callsFound }: ReviewView, times: Times): Html {
  if (candidates.length === 0) return section('Calls that may be meant', html`<p>No call was found.</p>`);
  const more = callsFound - candidates.length;
  return section(
    'Calls that may be meant',
    html`<div class="calls">${candidates.map((candidate) => callCard(candidate, times))}</div>
      ${more > 0 ? html`<p>${more} more fit no better, and are not shown.</p>` : ''}`,
  );
}

function callCard(call: CandidateView, times: Times): Html {
  return html`<article class="call" aria-labelledby="call-${call.rank}">
    <h3 id="call-${call.rank}">Call ${call.rank}, fits ${call.scorePercent} %</h3>
    ${factList([
      { label: 'began', value: times.shown(call.startedAt) },
      { label: 'received from', value: call.upstream },
      { label: 'then', value: call.downstream },
      ...call.facts,
      { label: 'legs', value: String(call.legs) },
      { label: 'record', value: call.candidate },
    ])}
    ${call.warnings.map(({ text, isFinal }) => html`<p class="${isFinal ? 'final' : 'warning'}">Beware: ${text}</p>`)}
  </article>`;
}

const VERDICTS = { equal: 'equal', compatible: 'compatible', absent: 'not known', contradicts: 'contradicts' } as const;

function comparisonTable({ comparison, candidates }: ReviewView): Html | '' {
  if (comparison.length === 0) return '';
  const rows = comparison.map(
    ({ field, stated, recorded }) =>
      html`<tr>
        <th scope="row">${field}</th>
        <td>${stated}</td>
        ${recorded.map(({ text, verdict }) => html`<td><span class="${verdict}">${VERDICTS[verdict]}</span> ${text}</td>`)}
      </tr>`,
  );
  return section(
    'Stated and on record',
    html`<div class="scroll" role="region" aria-label="Stated and on record" tabindex="0">
      <table>
        <thead>
          <tr>
            <th scope="col">Field</th>
            <th scope="col">Stated</th>
            ${candidates.map(({ rank }) => html`<th scope="col">Call ${rank}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${rows}
        </tbody>
      </table>
    </div>`,
  );
}

function proposedText({ proposed, candidates }: ReviewView): string {
  const rank = candidates.find(({ candidate }) => candidate === proposed?.candidate)?.rank;
  return `${proposed?.text ?? ''}${rank === undefined ? '' : `, by call ${String(rank)}`}`;
}

const DELIVERIES: Readonly<Record<string, string>> = {
  waiting: 'signed, not delivered yet',
  taken: 'delivered, without a receipt that can be verified',
  acknowledged: 'the platform has it',
  refused: 'the platform will not have it',
};

function givenSection({ given }: ReviewView, times: Times): Html | '' {
  if (given.length === 0) return '';
  return section(
    'Signed answers',
    html`<ul>
      ${given.map(
        ({ text, by, answeredAt, delivery, detail }) =>
          html`<li>
            ${text}; by ${by}, ${times.shown(answeredAt)};
            ${DELIVERIES[delivery] ?? delivery}${detail === undefined ? '' : `: ${detail}`}
          </li>`,
      )}
    </ul>`,
  );
}
