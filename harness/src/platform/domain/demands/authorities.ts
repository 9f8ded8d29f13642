import type { DemandKind } from '@hopback/sdk/platform';

/** A law under which an agency may demand records. */
export interface KnownAuthority {
  /** As reviewers cite it. */
  readonly citation: string;
  /** Whose law it is: `US`, `US-TX`. */
  readonly jurisdiction: string;
  readonly kinds: readonly DemandKind[];
  /** What a citation of it has, in lower case without stops and section signs: all of one row. */
  readonly marks: readonly (readonly string[])[];
}

const ALL: readonly DemandKind[] = ['subpoena', 'civil-investigative-demand', 'court-order'];
const INVESTIGATIVE: readonly DemandKind[] = ['subpoena', 'civil-investigative-demand'];

const law = (
  citation: string,
  jurisdiction: string,
  kinds: readonly DemandKind[],
  ...marks: readonly (readonly string[])[]
): KnownAuthority => ({ citation, jurisdiction, kinds, marks });

/**
 * Laws that demands for call records are issued under, from general knowledge of the field: to be put right here by counsel. A citation that is not
 * here is for a person to read, and is never refused for it.
 */
export const KNOWN_AUTHORITIES: readonly KnownAuthority[] = [
  law('15 USC 57b-1', 'US', ['civil-investigative-demand'], ['15 usc', '57b-1']),
  law('15 USC 49', 'US', ['subpoena'], ['15 usc 49']),
  law('18 USC 2703', 'US', ['subpoena', 'court-order'], ['18 usc', '2703']),
  law('18 USC 3486', 'US', ['subpoena'], ['18 usc', '3486']),
  law('21 USC 876', 'US', ['subpoena'], ['21 usc', '876']),
  law('31 USC 3733', 'US', ['civil-investigative-demand'], ['31 usc', '3733']),
  law('47 USC 403', 'US', INVESTIGATIVE, ['47 usc', '403']),
  law('47 USC 409', 'US', ['subpoena'], ['47 usc', '409']),
  law('Fed. R. Civ. P. 45', 'US', ['subpoena'], ['fed r civ p 45'], ['federal rule of civil procedure 45']),
  law('Fed. R. Civ. P. 65', 'US', ['court-order'], ['fed r civ p 65'], ['federal rule of civil procedure 65']),
  law('Fed. R. Crim. P. 17', 'US', ['subpoena'], ['fed r crim p 17'], ['federal rule of criminal procedure 17']),
  law('Fed. R. Crim. P. 41', 'US', ['court-order'], ['fed r crim p 41'], ['federal rule of criminal procedure 41']),
  law('Ariz. Rev. Stat. 44-1524', 'US-AZ', INVESTIGATIVE, ['44-1524']),
  law('Cal. Gov. Code 11181', 'US-CA', INVESTIGATIVE, ['cal', 'gov', '11181']),
  law('Colo. Rev. Stat. 6-1-108', 'US-CO', INVESTIGATIVE, ['6-1-108']),
  law('Fla. Stat. 501.206', 'US-FL', INVESTIGATIVE, ['501206']),
  law('O.C.G.A. 10-1-403', 'US-GA', INVESTIGATIVE, ['10-1-403']),
  law('815 ILCS 505/3', 'US-IL', INVESTIGATIVE, ['815 ilcs 505']),
  law('Ind. Code 4-6-3', 'US-IN', INVESTIGATIVE, ['ind', '4-6-3']),
  law('Mass. G.L. c. 93A, 6', 'US-MA', INVESTIGATIVE, ['93a']),
  law('Mich. Comp. Laws 445.907', 'US-MI', INVESTIGATIVE, ['445907']),
  law('Minn. Stat. 8.31', 'US-MN', INVESTIGATIVE, ['minn', '831']),
  law('Mo. Rev. Stat. 407.040', 'US-MO', INVESTIGATIVE, ['407040']),
  law('N.C. Gen. Stat. 75-10', 'US-NC', INVESTIGATIVE, ['75-10']),
  law('N.J.S.A. 56:8-3', 'US-NJ', INVESTIGATIVE, ['56:8-3']),
  law('N.Y. Exec. Law 63(12)', 'US-NY', INVESTIGATIVE, ['exec', '63(12)']),
  law('Ohio Rev. Code 1345.06', 'US-OH', INVESTIGATIVE, ['134506']),
  law('Tenn. Code Ann. 47-18-106', 'US-TN', INVESTIGATIVE, ['47-18-106']),
  law('Tex. Bus. & Com. Code 17.61', 'US-TX', ['civil-investigative-demand'], ['tex', '1761']),
  law('Va. Code 59.1-9.10', 'US-VA', INVESTIGATIVE, ['591-910']),
  law('Wash. Rev. Code 19.86.110', 'US-WA', INVESTIGATIVE, ['1986110']),
  law('Order of a court of the United States', 'US', ['court-order'], ['united states district court']),
  law('Rule of civil procedure on subpoenas', 'US', ALL, ['rules of civil procedure']),
];

/**
 * The laws that a citation names. Never throws; time linear in the text.
 * @param text - as the demand cites it, one line
 */
export function authoritiesIn(text: string): readonly KnownAuthority[] {
  const plain = plainCitation(text);
  return KNOWN_AUTHORITIES.filter(({ marks }) => marks.some((row) => row.every((mark) => hasMark(plain, mark))));
}

/** Lower case, without stops, commas, section signs and the words for them: `Tex. Bus. & Com. Code § 17.61` is `tex bus & com code 1761`. */
function plainCitation(text: string): string {
  const words = text
    .toLowerCase()
    .replaceAll('u.s.c', 'usc')
    .replaceAll('u. s. c', 'usc')
    .replace(/[.,;§]/g, '')
    .split(/\s+/)
    .filter((word) => word !== '' && word !== 'section' && word !== 'sec' && word !== 'sections');
  return ` ${words.join(' ')} `;
}

/** At the beginning of a word, and up to where no further digit follows: 49 is not 490. */
function hasMark(plain: string, mark: string): boolean {
  for (let at = plain.indexOf(` ${mark}`); at >= 0; at = plain.indexOf(` ${mark}`, at + 1)) {
    if (!/[0-9]/.test(plain.charAt(at + mark.length + 1)) || !/[0-9]$/.test(mark)) return true;
  }
  return false;
}
