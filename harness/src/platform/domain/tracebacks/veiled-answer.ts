import type { ContactDetails, TracebackAnswer, TracebackFinding } from '@hopback/sdk/traceback';

/** Makes a keyed pseudonym of a value. */
export type Pseudonym = (value: string) => string;

/** As long as a text may be that the course of a traceback keeps. */
const KEPT_TEXT = 1_000;

/**
 * An answer as the state of a traceback may keep it, which lies in the database in the clear: without telephone numbers. What the provider said in
 * full is in its JWS, which is sealed.
 * @returns the answer; never throws
 */
export function veiledAnswer(answer: TracebackAnswer, pseudonym: Pseudonym): TracebackAnswer {
  const { amends, call: _call, comment: _comment, ...rest } = answer;
  return {
    ...rest,
    finding: veiledFinding(answer.finding, pseudonym),
    ...(amends !== undefined && { amends: { ...amends, reason: withoutNumbers(amends.reason) } }),
  };
}

function veiledFinding(finding: TracebackFinding, pseudonym: Pseudonym): TracebackFinding {
  switch (finding.arm) {
    case 'received-from-unlisted':
    case 'point-of-entry':
      return { ...finding, upstream: veiledContact(finding.upstream, pseudonym) };
    case 'origin':
    case 'serves-number': {
      const { customerId, contact, action } = finding.customer;
      // Only whether there is one counts.
      const isKnown = customerId !== undefined || contact !== undefined;
      return { arm: finding.arm, customer: { ...(isKnown && { customerId: 'stated' }), ...(action && { action }) } };
    }
    case 'refused':
      return { arm: 'refused', reason: withoutNumbers(finding.reason) };
    default:
      return finding;
  }
}

/** Contacts are told apart by all that they state, so that a pseudonym stands in the place of a number. */
function veiledContact({ name, email, telephone, country }: ContactDetails, pseudonym: Pseudonym): ContactDetails {
  return {
    name: withoutNumbers(name),
    ...(email !== undefined && { email: withoutNumbers(email) }),
    ...(telephone !== undefined && { telephone: pseudonym(telephone) }),
    ...(country !== undefined && { country }),
  };
}

/**
 * A text with every run of digits that may be a telephone number taken out: seven digits or more, with what is written between them.
 * @returns at most 1,000 characters; never throws, takes linear time
 */
export function withoutNumbers(text: string): string {
  let kept = '';
  let run = '';
  let digits = 0;
  const end = (): void => {
    kept += digits >= 7 ? '[number]' : run;
    run = '';
    digits = 0;
  };
  for (const character of text.slice(0, 2 * KEPT_TEXT)) {
    const isDigit = character >= '0' && character <= '9';
    if (isDigit || (run !== '' && ' -.()/'.includes(character)) || (run === '' && character === '+')) {
      run += character;
      if (isDigit) digits += 1;
    } else {
      end();
      kept += character;
    }
  }
  end();
  return kept.slice(0, KEPT_TEXT);
}
