import { html } from 'hono/html';
import type { EntrySummary, FindingArm, ReviewView } from '../../../traceback/index.js';
import { factList, page, problemBox } from './layout.js';
import type { Html, PageFrame, Times } from './layout.js';

/** What somebody has filled in, and the token of the form. */
interface FilledForm {
  readonly values: URLSearchParams;
  readonly token: string;
}

const ARM_TEXTS: Readonly<Record<FindingArm, string>> = {
  'received-from': 'We received the call from a provider that a registry lists',
  'received-from-unlisted': 'We received the call from a provider that no registry lists',
  origin: 'We are the origin: it was a customer of ours',
  'point-of-entry': 'We are the point of entry: the call came from a provider abroad',
  'not-found': 'There is no record of such a call',
  'not-retained': 'Records of that time are not retained any longer',
  'not-our-number': 'The number is not one of ours',
  'not-sent-to-downstream': 'There is such a call, and it was not sent to the provider that named us',
  ambiguous: 'Several calls fit, and they cannot be told apart',
  'serves-number': 'We serve the number',
  'number-served-by': 'The number is served by another provider',
  refused: 'No answer is given',
};

const NEED_TEXTS: Readonly<Record<ReviewView['actions'][number]['arms'][number]['needs'][number], string>> = {
  provider: 'the provider, where the directory does not say',
  contact: 'who it is',
  customer: 'the customer',
  reason: 'a reason',
};

/** Asks for a decision. Nothing is chosen beforehand: to name somebody is for the person to do. */
function decisionForm(parts: {
  readonly view: ReviewView;
  readonly action: ReviewView['actions'][number];
  readonly path: string;
  readonly form: FilledForm;
}): Html {
  const { view, action, path, form } = parts;
  return html`<section>
    <h2>${action.action === 'amend' ? 'Change the answer' : 'Answer'}</h2>
    <form method="post" action="${path}">
      <input type="hidden" name="token" value="${form.token}" />
      <input type="hidden" name="step" value="check" />
      ${armFields(action, form.values)} ${callFields(view, form.values)} ${warningFields(view, action, form.values)}
      ${partyFields(form.values)}
      <fieldset>
        <legend>In words</legend>
        ${action.action === 'amend' ? textField(form.values, 'amend-reason', 'Why the answer is changed') : ''}
        ${textField(form.values, 'reason', 'Why no answer is given, where none is')}
        <label class="field"
          ><span>Comment, said beside the answer</span
          ><textarea name="comment" maxlength="4000">${form.values.get('comment') ?? ''}</textarea>
        </label>
      </fieldset>
      <button type="submit">Check the answer</button>
    </form>
  </section>`;
}

function armFields({ arms }: ReviewView['actions'][number], values: URLSearchParams): Html {
  return html`<fieldset>
    <legend>What is answered</legend>
    ${arms.map(({ arm, needsCandidate, needs }) => {
      const wanted = [...(needsCandidate ? ['which call'] : []), ...needs.map((need) => NEED_TEXTS[need])];
      const hint = wanted.length === 0 ? '' : ` (say ${wanted.join(', and ')})`;
      return choice({ type: 'radio', name: 'arm', value: arm, values }, `${ARM_TEXTS[arm]}${hint}`);
    })}
  </fieldset>`;
}

function callFields({ candidates }: ReviewView, values: URLSearchParams): Html | '' {
  if (candidates.length === 0) return '';
  return html`<fieldset>
    <legend>Which call is meant</legend>
    ${choice({ type: 'radio', name: 'candidate', value: '', values }, 'none of them')}
    ${candidates.map(({ rank, candidate, upstream, startedAt }) =>
      choice(
        { type: 'radio', name: 'candidate', value: candidate, values },
        `call ${String(rank)}: ${startedAt.replace('T', ' ').replace('Z', ' UTC')}, received from ${upstream}`,
      ),
    )}
  </fieldset>`;
}

function warningFields(
  { candidates, warnings }: ReviewView,
  { arms }: ReviewView['actions'][number],
  values: URLSearchParams,
): Html | '' {
  const all = [...warnings, ...arms.flatMap((arm) => arm.warnings), ...candidates.flatMap((call) => call.warnings)];
  const byName = new Map<string, ReviewView['warnings'][number]>(
    all.filter(({ isFinal }) => !isFinal).map((one) => [one.name, one]),
  );
  if (byName.size === 0) return '';
  return html`<fieldset>
    <legend>What I have seen, and answer all the same</legend>
    ${[...byName.values()].map(({ name, text }) => choice({ type: 'checkbox', name: 'despite', value: name, values }, text))}
  </fieldset>`;
}

const ACTIONS = {
  '': 'not said',
  none: 'none',
  'under-review': 'under review',
  warned: 'warned',
  suspended: 'suspended',
  terminated: 'terminated',
} as const;

/** Folded away unless something is in it: most answers need none of it. */
function folded(title: string, isOpen: boolean, fields: Html): Html {
  return html`<details ${isOpen ? 'open' : ''}>
    <summary>${title}</summary>
    ${fields}
  </details>`;
}

function partyFields(values: URLSearchParams): Html {
  const chosen = values.get('action') ?? '';
  const isFilled = (...names: readonly string[]): boolean => names.some((name) => (values.get(name) ?? '') !== '');
  return html`${folded(
    'The provider, where the directory does not say or is wrong',
    isFilled(...Object.values(PARTY_FIELDS.provider)),
    html`${textField(values, 'provider-name', 'Name')} ${textField(values, 'provider-ocn', 'OCN')}
    ${textField(values, 'provider-spc', 'SPC')} ${textField(values, 'provider-frn', 'FCC Registration Number')}`,
  )}
  ${folded(
    'A provider that no registry lists, or one abroad',
    isFilled(...Object.values(PARTY_FIELDS.contact)),
    html`${textField(values, 'contact-name', 'Name of the provider')} ${textField(values, 'contact-email', 'E-mail')}
    ${textField(values, 'contact-telephone', 'Telephone')}
    ${textField(values, 'contact-country', 'Country, two letters')}`,
  )}
  ${folded(
    'The customer, and what was done',
    isFilled('customer-id', 'know-your-customer', 'action'),
    html`${textField(values, 'customer-id', 'Customer whose call it was')}
      ${textField(values, 'know-your-customer', 'On what basis the customer is known')}
      <label class="field"
        ><span>What was done about whoever sent the call</span
        ><select name="action">
          ${Object.entries(ACTIONS).map(
            ([value, text]) => html`<option value="${value}" ${value === chosen ? 'selected' : ''}>${text}</option>`,
          )}
        </select></label
      >`,
  )}`;
}

function textField(values: URLSearchParams, name: string, label: string): Html {
  return html`<label class="field"
    ><span>${label}</span
    ><input type="text" name="${name}" value="${values.get(name) ?? ''}" maxlength="4000" autocomplete="off"
  /></label>`;
}

interface Choice {
  readonly type: 'radio' | 'checkbox';
  readonly name: string;
  readonly value: string;
  readonly values: URLSearchParams;
}

function choice({ type, name, value, values }: Choice, label: string): Html {
  const isChosen = values.getAll(name).includes(value);
  return html`<label class="choice"
    ><input type="${type}" name="${name}" value="${value}" ${isChosen ? 'checked' : ''} />${label}</label
  >`;
}

/** Requests of a table. */
export interface ListedRequests {
  /** As many as are shown. */
  readonly shown: readonly ListedRequest[];
  /** How many more there are. */
  readonly more: number;
}

/** A request in the list. */
interface ListedRequest {
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
const STATE_TEXTS: Readonly<Record<EntrySummary['state'], string>> = {
  received: 'being looked up',
  review: 'waits for a person',
  decided: 'being signed',
  signed: 'signed, on its way',
  sent: 'sent, without a receipt yet',
  acknowledged: 'answered',
  blocked: 'the platform refuses the answer',
  cancelled: 'cancelled',
};

interface TableOptions {
  readonly base: string;
  readonly times: Times;
  readonly title: string;
}

function requestTable({ shown, more }: ListedRequests, { base, times, title }: TableOptions): Html {
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
function deadlineMark({ state, text }: ReviewView['deadline']): Html {
  return html`<span class="deadline deadline-${state}">${text}</span>`;
}

/** What the page of a request shows. */
interface RequestPageParts {
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

function callCard(call: ReviewView['candidates'][number], times: Times): Html {
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

/** What became of a signed answer. */
export const DELIVERIES: Readonly<Record<string, string>> = {
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

/** Fields of the form, by the member of the decision that they fill. */
export const PARTY_FIELDS = {
  provider: { name: 'provider-name', ocn: 'provider-ocn', spc: 'provider-spc', frn: 'provider-frn' },
  contact: {
    name: 'contact-name',
    email: 'contact-email',
    telephone: 'contact-telephone',
    country: 'contact-country',
  },
} as const;
