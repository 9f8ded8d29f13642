/** Why a record is sent or stays. */
export type SharingReason =
  'level-shares-nothing' | 'level-shares-suspicious' | 'level-shares-all' | 'not-suspicious-enough' | 'not-judged';

/** Why a member of a record is sent, veiled or withheld. */
export type MemberRule =
  | 'needed-to-find-the-record'
  | 'facts-of-the-call'
  | 'called-number-shown'
  | 'called-number-veiled'
  | 'caller-no-number'
  | 'caller-is-the-called-number'
  | 'made-of-the-called-number'
  | 'may-name-the-called-number'
  | 'text-holds-the-called-number'
  | 'calling-by-policy'
  | 'trunks-by-policy'
  | 'providers-by-policy'
  | 'addresses-by-policy'
  | 'call-ids-by-policy'
  | 'source-by-policy'
  | 'evidence-by-policy'
  | 'signing-by-policy'
  | 'release-by-policy'
  | 'blocking-by-policy'
  | 'customer-never-leaves'
  | 'raw-bytes-never-leave'
  | 'text-holds-the-customer'
  | 'not-in-the-list';

/** What became of a member. */
export type MemberTreatment = 'sent' | 'pseudonym' | 'withheld';

/** What becomes of one member of a record, and why. */
export interface MemberExplanation {
  /** Path in the record: `ingress.trunk`, `received.evidence.passports[0].dest`. */
  readonly member: string;
  readonly treatment: MemberTreatment;
  readonly rule: MemberRule;
}

/**
 * One sentence for each rule about members.
 * @see 47 USC 222 for what a carrier may say of its customers' calls, and to whom
 */
export const MEMBER_RULES: Readonly<Record<MemberRule, string>> = Object.freeze({
  'needed-to-find-the-record': 'A traceback of the shared record starts with it.',
  'facts-of-the-call': 'When the call was and how it went is what is shared.',
  'called-number-shown': 'At this level the number called is shown.',
  'called-number-veiled': 'At this level of the number called only area code, exchange and a pseudonym leave.',
  'caller-no-number': 'What came in place of a calling number is none; that is said, and the text stays.',
  'caller-is-the-called-number': 'The caller shows the number called, which does not leave: it is veiled too.',
  'made-of-the-called-number': 'It is a hash of what holds the number called, which could be found by trying.',
  'may-name-the-called-number': 'It may hold the number called, or another way to it.',
  'text-holds-the-called-number': 'The number called stands in this text.',
  'calling-by-policy': 'The policy decides about calling numbers.',
  'trunks-by-policy': 'The policy decides about names of trunks.',
  'providers-by-policy': 'The policy decides about names of providers.',
  'addresses-by-policy': 'The policy decides about signalling addresses.',
  'call-ids-by-policy': 'The policy decides about SIP Call-IDs.',
  'source-by-policy': 'The policy decides about names of switches.',
  'evidence-by-policy': 'The policy decides about the evidence of verifications.',
  'signing-by-policy': 'The policy decides about what the carrier has signed.',
  'release-by-policy': 'The policy decides about causes of release.',
  'blocking-by-policy': 'The policy decides about what blocked a call.',
  'customer-never-leaves': 'The customer never leaves the carrier.',
  'raw-bytes-never-leave': 'What the switch wrote, byte for byte, is for courts alone: it never leaves the carrier.',
  'text-holds-the-customer': "The carrier's name for its customer stands in this text.",
  'not-in-the-list': 'Only members that are in the list leave; this one is in none.',
});
