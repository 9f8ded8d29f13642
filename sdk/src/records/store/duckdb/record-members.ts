/**
 * How the values of a member are kept: as they are; as a part of the form; as a form of its own, one by one; an address; a time; text, or
 * octets in base64, that is not looked into; what stands in columns.
 */
export type Kind =
  | 'value'
  | 'word'
  | 'section'
  | 'sections'
  | 'address'
  | 'us'
  | 'ms'
  | 's'
  | 'text'
  | 'base64'
  | 'recordId'
  | 'inviteAtUs';

/** What is known of the values of a member. */
export interface Member {
  /** `"name":`, and with a comma before it. */
  readonly first: string;
  readonly further: string;
  readonly kind: Kind;
}

/** The members of an object, in their order. */
export interface Shape {
  readonly names: readonly string[];
  readonly members: readonly Member[];
  /** Another one of the same place. */
  readonly before: Shape | undefined;
  /** How many there are, this one and those before. */
  readonly count: number;
}

/** Members whose values few records differ in; they become part of the form. */
const WORDS = [
  ...['format', 'id', 'readerVersion', 'written', 'zone', 'resolutionUs', 'disposition', 'trunk', 'provider'],
  ...['sipStatus', 'q850Cause', 'cause', 'party', 'verstat', 'attestation', 'spc', 'profile', 'freshnessSeconds'],
  ...['trustStore', 'origSource', 'destSource', 'index', 'ppt', 'status', 'x5u', 'certificateSha256', 'basis'],
  ...['trustAnchorSha256', 'passed', 'step', 'result', 'reason', 'seenCount', 'surplusHeaders', 'blockedBy'],
];

/** Members that call records have. Others are kept as well, as `unknownMember` says. */
export const MEMBERS: ReadonlyMap<string, Member> = knownMembers();

function knownMembers(): Map<string, Member> {
  const table = new Map<string, Member>();
  const add = (kind: Kind, names: readonly string[]): void => {
    for (const name of names) table.set(name, { first: `"${name}":`, further: `,"${name}":`, kind });
  };
  add('word', WORDS);
  // Forms of their own: what they hold varies apart from the rest.
  add('section', ['ingress', 'egress', 'release', 'received', 'signed', 'raw']);
  add('sections', ['passports']);
  add('address', ['address']);
  add('us', ['answeredAtUs', 'endedAtUs', 'otherInviteAtUs']);
  add('ms', ['checkedAtMs', 'firstSeenMs']);
  add('s', ['iatSeconds', 'dateSeconds']);
  // Raw rows: a Call-ID or a number in them is not worth finding, since the rest of the row is all its own.
  add('text', ['text']);
  add('base64', ['base64']);
  add('recordId', ['recordId']);
  add('inviteAtUs', ['inviteAtUs']);
  add('value', [
    'source',
    'sha256',
    'legId',
    'callGroupId',
    'time',
    'calling',
    'asserted',
    'called',
    'asWritten',
    'tn',
  ]);
  add('value', ['translatedTn', 'lrn', 'techPrefix', 'callId', 'origId', 'evidence', 'request', 'orig', 'dest', 'div']);
  add('value', ['signingInputSha256', 'exceptions', 'expected', 'actual', 'callKey', 'customerId', 'target']);
  return table;
}

/** Whether an object has these members in this order, and no others. */
export function hasNames(value: object, names: readonly string[]): boolean {
  let at = 0;
  for (const name in value) {
    if (names[at] !== name) return false;
    at += 1;
  }
  return at === names.length;
}

/** A member that no call record has had so far. */
export function unknownMember(name: string): Member {
  const quoted = `${JSON.stringify(name)}:`;
  return { first: quoted, further: `,${quoted}`, kind: 'value' };
}
