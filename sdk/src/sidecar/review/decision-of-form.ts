import { readReviewDecision } from '../../traceback/index.js';
import type { ReviewDecisionReading } from '../../traceback/index.js';

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

/** What the server adds to a form. */
export interface DecisionFacts {
  readonly requestId: string;
  /** Name of the account. */
  readonly by: string;
  readonly nowMs: number;
  /** Of a form that is sent for the first time; the page that confirms it brings it along, so that it counts once. */
  readonly newId: () => string;
}

/** Arms of which an action is taken against a customer, and not against whoever sent the call. */
const CUSTOMER_ARMS: ReadonlySet<string> = new Set(['origin', 'serves-number']);

/** The decision that a person has filled in. Members left empty are not there. Never throws. */
export function decisionOfForm(form: URLSearchParams, facts: DecisionFacts): ReviewDecisionReading {
  const text = (name: string): string | undefined => {
    const value = form.get(name)?.trim();
    return value === undefined || value === '' ? undefined : value;
  };
  const arm = text('arm');
  const action = text('action');
  const isOfCustomer = CUSTOMER_ARMS.has(arm ?? '');
  const despite = form.getAll('despite');
  const value = filled({
    format: 'hopback.review-decision.1',
    decisionId: text('decision-id') ?? facts.newId(),
    requestId: facts.requestId,
    by: facts.by,
    decidedAt: new Date(facts.nowMs).toISOString(),
    arm,
    candidate: text('candidate'),
    provider: partyOf(PARTY_FIELDS.provider, text),
    contact: partyOf(PARTY_FIELDS.contact, text),
    customer: filledOrNone({
      customerId: text('customer-id'),
      knowYourCustomer: text('know-your-customer'),
      action: isOfCustomer ? action : undefined,
    }),
    upstreamAction: isOfCustomer ? undefined : action,
    reason: text('reason'),
    comment: text('comment'),
    amendReason: text('amend-reason'),
    despite: despite.length === 0 ? undefined : despite,
  });
  if (arm === undefined) return { status: 'refused', detail: 'say what is answered' };
  return readReviewDecision(value);
}

function partyOf(
  fields: Readonly<Record<string, string>>,
  text: (name: string) => string | undefined,
): Readonly<Record<string, unknown>> | undefined {
  return filledOrNone(Object.fromEntries(Object.entries(fields).map(([member, field]) => [member, text(field)])));
}

function filledOrNone(members: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> | undefined {
  const there = filled(members);
  return Object.keys(there).length === 0 ? undefined : there;
}

function filled(members: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}
