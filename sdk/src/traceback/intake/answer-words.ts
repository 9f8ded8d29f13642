import type { ContactDetails, ProviderReference } from '../../core/traceback-request.js';
import type {
  CustomerAction,
  CustomerStatement,
  FindingArm,
  SearchStatement,
  TracebackFinding,
} from '../../core/traceback-request.js';

/** What the arms of an answer are called where people read them. */
export const FINDING_WORDS: Readonly<Record<FindingArm, string>> = {
  'received-from': 'We received this call from another provider.',
  'received-from-unlisted': 'We received this call from a provider that is not listed.',
  origin: 'This call originated with our customer.',
  'point-of-entry': 'We are the U.S. point of entry: we received this call from a foreign provider.',
  'not-found': 'We have no record of this call. Our records of that time are complete.',
  'not-retained': 'Records of that time have been removed: whether there was such a call cannot be said.',
  'not-our-number': 'The called number is not served by us, and was not when the call was made.',
  'not-sent-to-downstream': 'We have a record of such a call, but did not send it to the provider that named us.',
  ambiguous: 'Several calls fit what was stated, and they cannot be told apart.',
  'serves-number': 'The number is served by us, for our customer.',
  'number-served-by': 'The number is served by another provider.',
  refused: 'No answer is given.',
};

/** What was done about whoever sent the call. */
export const ACTION_WORDS: Readonly<Record<CustomerAction, string>> = {
  none: 'no action',
  'under-review': 'under review',
  warned: 'warned',
  suspended: 'suspended',
  terminated: 'terminated',
};

/** A label and what stands behind it; undefined where there is nothing to say. */
export type Said = readonly [label: string, value: string | undefined];

/** What an arm adds to its words, in the order in which a form asks for it. */
export function findingFields(finding: TracebackFinding): readonly Said[] {
  switch (finding.arm) {
    case 'received-from':
      return providerSaid('Received from', finding.upstream);
    case 'received-from-unlisted':
      return contactSaid('Provider not listed', finding.upstream);
    case 'point-of-entry':
      return contactSaid('Foreign provider', finding.upstream);
    case 'origin':
    case 'serves-number':
      return customerSaid(finding.customer);
    case 'not-retained':
      return [['Records retained from', finding.retainedFrom]];
    case 'not-sent-to-downstream':
      return providerSaid('Not sent to', finding.downstream);
    case 'ambiguous':
      return [['Calls that fit', String(finding.candidates)]];
    case 'number-served-by':
      return providerSaid('Number served by', finding.provider);
    case 'refused':
      return [['Reason', finding.reason]];
    case 'not-found':
    case 'not-our-number':
      return [];
    default:
      return finding satisfies never;
  }
}

function providerSaid(label: string, { name, providerId, ocn, spc, frn }: ProviderReference): readonly Said[] {
  return [
    [label, name],
    [`${label}, registry ID`, providerId],
    [`${label}, OCN`, ocn],
    [`${label}, SPC`, spc],
    [`${label}, FRN`, frn],
  ];
}

function contactSaid(
  label: string,
  { name, email, telephone, postalAddress, country }: ContactDetails,
): readonly Said[] {
  return [
    [label, name],
    [`${label}, email`, email],
    [`${label}, phone`, telephone],
    [`${label}, address`, postalAddress],
    [`${label}, country`, country],
  ];
}

function customerSaid({ customerId, contact, knowYourCustomer, action }: CustomerStatement): readonly Said[] {
  return [
    ['Customer account', customerId],
    ...(contact === undefined ? [] : contactSaid('Customer', contact)),
    ['Know your customer', knowYourCustomer],
    ['Action taken', action === undefined ? undefined : ACTION_WORDS[action]],
  ];
}

/** For which times what was looked for. */
export function searchText({ windows, keys, recordsConsidered }: SearchStatement): string {
  const times = windows.map(({ from, to }) => `${from} to ${to}`).join(' and ');
  const records = `${String(recordsConsidered)} ${recordsConsidered === 1 ? 'record' : 'records'} weighed`;
  return `${times === '' ? 'no time' : times}, by ${keys.length === 0 ? 'nothing' : keys.join(', ')}; ${records}`;
}
