import { html } from 'hono/html';
import type { AllowedAction, AllowedArm, ReviewView, ViewWarning } from '../../../traceback/index.js';
import { PARTY_FIELDS } from '../decision-of-form.js';
import type { Html } from './layout.js';

/** What somebody has filled in, and the token of the form. */
export interface FilledForm {
  readonly values: URLSearchParams;
  readonly token: string;
}

const ARM_TEXTS: Readonly<Record<AllowedArm['arm'], string>> = {
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

const NEED_TEXTS: Readonly<Record<AllowedArm['needs'][number], string>> = {
  provider: 'the provider, where the directory does not say',
  contact: 'who it is',
  customer: 'the customer',
  reason: 'a reason',
};

/** Asks for a decision. Nothing is chosen beforehand: to name somebody is for the person to do. */
export function decisionForm(parts: {
  readonly view: ReviewView;
  readonly action: AllowedAction;
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

function armFields({ arms }: AllowedAction, values: URLSearchParams): Html {
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
  { arms }: AllowedAction,
  values: URLSearchParams,
): Html | '' {
  const all = [...warnings, ...arms.flatMap((arm) => arm.warnings), ...candidates.flatMap((call) => call.warnings)];
  const byName = new Map<string, ViewWarning>(all.filter(({ isFinal }) => !isFinal).map((one) => [one.name, one]));
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

function choice(
  {
    type,
    name,
    value,
    values,
  }: {
    readonly type: 'radio' | 'checkbox';
    readonly name: string;
    readonly value: string;
    readonly values: URLSearchParams;
  },
  label: string,
): Html {
  const isChosen = values.getAll(name).includes(value);
  return html`<label class="choice"
    ><input type="${type}" name="${name}" value="${value}" ${isChosen ? 'checked' : ''} />${label}</label
  >`;
}
