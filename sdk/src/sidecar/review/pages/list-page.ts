import { html } from 'hono/html';
import type { EntrySummary, ReviewView } from '../../../traceback/index.js';
import { page } from './layout.js';
import type { Html, PageFrame } from './layout.js';
import type { Times } from './times.js';

/** Requests of a table. */
export interface ListedRequests {
  /** As many as are shown. */
  readonly shown: readonly ListedRequest[];
  /** How many more there are. */
  readonly more: number;
}

/** A request in the list. */
export interface ListedRequest {
  readonly summary: EntrySummary;
  readonly deadline: ReviewView['deadline'];
}

/** The page that lists what waits for a person, and what was asked otherwise. */
export function listPage(
  frame: Omit<PageFrame, 'title'>,
  requests: {
    readonly waiting: ListedRequests;
    readonly others: ListedRequests;
    readonly times: Times;
  },
): Html {
  const { waiting, others, times } = requests;
  const parts = { base: frame.base, times };
  return page(
    { ...frame, title: 'Traceback requests' },
    html`<h2>Waiting for a person</h2>
      ${waiting.shown.length === 0 ? html`<p>None. What policy can answer is answered by itself.</p>` : requestTable(waiting, { ...parts, title: 'Most urgent first' })}
      <h2>All others</h2>
      ${others.shown.length === 0 ? html`<p>None.</p>` : requestTable(others, { ...parts, title: 'Without an answer first' })}`,
  );
}

/** Where a request stands, in words. */
export const STATE_TEXTS: Readonly<Record<EntrySummary['state'], string>> = {
  received: 'being looked up',
  review: 'waits for a person',
  decided: 'being signed',
  signed: 'signed, on its way',
  sent: 'sent, without a receipt yet',
  acknowledged: 'answered',
  blocked: 'the platform refuses the answer',
  cancelled: 'cancelled',
};

function requestTable(
  { shown, more }: ListedRequests,
  { base, times, title }: { readonly base: string; readonly times: Times; readonly title: string },
): Html {
  return html`<div class="scroll" role="region" aria-label="${title}" tabindex="0">
    <table>
      <caption>
        ${title}${more > 0 ? `; ${String(more)} more are not shown` : ''}
      </caption>
      <thead>
        <tr>
          <th scope="col">Request</th>
          <th scope="col">Deadline</th>
          <th scope="col">Due</th>
          <th scope="col">State</th>
          <th scope="col">Queue</th>
          <th scope="col">Received</th>
        </tr>
      </thead>
      <tbody>
        ${shown.map(
          ({ summary, deadline }) =>
            html`<tr>
              <th scope="row">
                <a href="${base}/requests/${encodeURIComponent(summary.requestId)}">${summary.requestId}</a>
              </th>
              <td>${deadlineMark(deadline)}</td>
              <td>${times.shown(deadline.dueAt)}</td>
              <td>${STATE_TEXTS[summary.state]}</td>
              <td>${summary.queue ?? ''}</td>
              <td>${times.shown(summary.receivedAtMs)}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

/** Where the clock stands, in colour and in words. */
export function deadlineMark({ state, text }: ReviewView['deadline']): Html {
  return html`<span class="deadline deadline-${state}">${text}</span>`;
}
