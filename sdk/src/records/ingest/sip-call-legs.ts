import type { DialogRequest, InviteTransaction, SipAnswer, SipCall } from './sip-call.js';

/** An INVITE that came in, one that went out for it, and the dialog that came of them: what one record is made of. */
export interface SipLeg {
  /** Absent where the switch placed the call itself, or joined two Call-IDs. */
  readonly ingress?: InviteTransaction;
  /** Absent where the switch sent the call nowhere under this Call-ID. */
  readonly egress?: InviteTransaction;
  /** Absent where nobody answered, or the answer was not captured: then `isAnswered` tells. */
  readonly answer?: SipAnswer;
  readonly isAnswered: boolean;
  readonly bye?: DialogRequest;
}

/**
 * The legs of a call: one for each branch that went out, with the INVITE that came in for it; one for each further dialog where several
 * phones behind a branch answered; one for an INVITE that came in and was sent nowhere. INVITEs that were challenged for
 * credentials and sent again are none, nor are those within a dialog. The same whatever the order in which messages were taken.
 */
export function legsOfSipCall(call: SipCall): readonly SipLeg[] {
  const begun = beginnings(call);
  const ingress = begun.filter(({ side }) => side === 'ingress');
  const egress = begun.filter(({ side }) => side === 'egress');
  const childrenOf = new Map<InviteTransaction | undefined, InviteTransaction[]>();
  for (const one of egress) {
    const parent = parentOf(one, ingress);
    const children = childrenOf.get(parent);
    if (children === undefined) childrenOf.set(parent, [one]);
    else children.push(one);
  }
  const legs: SipLeg[] = [];
  for (const parent of [...ingress, undefined]) {
    const children = childrenOf.get(parent) ?? [];
    for (const child of children) legs.push(...legsOf(call, parent, child, children));
    const isAnswered = legs.some((leg) => leg.ingress === parent && leg.isAnswered);
    if (parent !== undefined && (children.length === 0 || (parent.answers.length > 0 && !isAnswered))) {
      legs.push(...legsOf(call, parent, undefined, []));
    }
  }
  return legs;
}

/**
 * Whether nothing more is to come of a call: every dialog has its BYE; or there is none, and every INVITE that came in (where none did,
 * that went out) has its final response.
 */
export function isSipCallOver(call: SipCall): boolean {
  const legs = legsOfSipCall(call);
  if (legs.length === 0) return false;
  const answered = legs.filter(({ isAnswered }) => isAnswered);
  if (answered.length > 0) return answered.every(({ bye }) => bye !== undefined);
  const begun = call.transactions.filter((one) => !one.isInDialog && one.side !== 'internal');
  const ingress = begun.filter(({ side }) => side === 'ingress');
  return (ingress.length > 0 ? ingress : begun).every(({ finalStatus }) => finalStatus !== undefined);
}

/** The INVITEs that began a call, in the order of time. */
function beginnings({ transactions }: SipCall): readonly InviteTransaction[] {
  const begun = transactions.filter(
    (one) => one.side !== 'internal' && !one.isInDialog && !isWithinDialog(one, transactions),
  );
  return begun
    .filter((one) => !isChallenged(one) || !begun.some((other) => isRepeatWithCredentials(other, one)))
    .sort((a, b) => a.atUs - b.atUs || (a.branch < b.branch ? -1 : 1));
}

/** A re-INVITE of which only responses were captured: its tags are those of a dialog that another transaction began. */
function isWithinDialog(one: InviteTransaction, transactions: readonly InviteTransaction[]): boolean {
  if (one.hasInvite) return false;
  const { fromTag, cseq } = one.facts;
  return transactions.some((other) => {
    if (other === one || other.side === 'internal' || !(other.hasInvite || other.atUs < one.atUs)) return false;
    const isAnswered = (tag: string): boolean => other.answers.some(({ toTag }) => toTag === tag);
    if (other.facts.fromTag === fromTag && other.side === one.side) {
      return cseq > other.facts.cseq && one.toTags.some(isAnswered);
    }
    return isAnswered(fromTag) && one.toTags.includes(other.facts.fromTag);
  });
}

function isChallenged({ finalStatus, answers }: InviteTransaction): boolean {
  return answers.length === 0 && (finalStatus === 401 || finalStatus === 407);
}

function isRepeatWithCredentials(other: InviteTransaction, challenged: InviteTransaction): boolean {
  return (
    other.side === challenged.side &&
    other.peer === challenged.peer &&
    other.facts.fromTag === challenged.facts.fromTag &&
    other.facts.cseq > challenged.facts.cseq
  );
}

/**
 * The INVITE that came in for one that went out: a proxy leaves the Via of it below its own, so that the nearest known branch tells,
 * also where a call crosses the switch twice; a switch that hides it leaves the last INVITE before.
 */
function parentOf(child: InviteTransaction, ingress: readonly InviteTransaction[]): InviteTransaction | undefined {
  for (const branch of child.facts.branches.slice(1)) {
    const parent = ingress.find((one) => one.branch === branch);
    if (parent !== undefined) return parent;
  }
  return ingress.findLast((one) => one.atUs <= child.atUs) ?? ingress[0];
}

function legsOf(
  call: SipCall,
  ingress: InviteTransaction | undefined,
  egress: InviteTransaction | undefined,
  siblings: readonly InviteTransaction[],
): readonly SipLeg[] {
  const main = egress ?? ingress;
  if (main === undefined) return [];
  const sides = { ...(ingress && { ingress }), ...(egress && { egress }) };
  const answers = main.answers.length > 0 ? main.answers : inferredAnswers(main, ingress, siblings);
  if (answers.length > 0) {
    return answers.map((answer) => {
      const bye = byeOf(call, main, answer.toTag);
      return { ...sides, answer, isAnswered: true, ...(bye && { bye }) };
    });
  }
  const confirmed = main.finalStatus === undefined ? confirmedTag(call, main, siblings) : undefined;
  if (confirmed === undefined) return [{ ...sides, isAnswered: false }];
  const bye = byeOf(call, main, confirmed);
  return [{ ...sides, isAnswered: true, ...(bye && { bye }) }];
}

/** Answers of a branch whose 2xx was lost, by what the switch passed on to where the call came from. */
function inferredAnswers(
  main: InviteTransaction,
  ingress: InviteTransaction | undefined,
  siblings: readonly InviteTransaction[],
): readonly SipAnswer[] {
  if (ingress === undefined || ingress === main || main.finalStatus !== undefined) return [];
  const isSiblings = (tag: string): boolean =>
    siblings.some(
      (one) => one !== main && (one.answers.some(({ toTag }) => toTag === tag) || one.toTags.includes(tag)),
    );
  const isOnlyOneOpen = siblings.every(
    (one) => one === main || one.finalStatus !== undefined || one.answers.length > 0,
  );
  return ingress.answers.filter(({ toTag }) => main.toTags.includes(toTag) || (isOnlyOneOpen && !isSiblings(toTag)));
}

/** To tag of a dialog whose 2xx was lost on both sides, by the ACK or BYE that only an answered call sees. */
function confirmedTag(
  call: SipCall,
  main: InviteTransaction,
  siblings: readonly InviteTransaction[],
): string | undefined {
  const isOnlyOneOpen = siblings.every(
    (one) => one === main || one.finalStatus !== undefined || one.answers.length > 0,
  );
  for (const { method, fromTag, toTag, branch } of call.dialogRequests) {
    // The ACK of a failure has the branch of its INVITE; that of an answer has its own.
    if (method === 'ACK' && call.transactions.some((one) => one.branch === branch)) continue;
    const tag = fromTag === main.facts.fromTag ? toTag : toTag === main.facts.fromTag ? fromTag : undefined;
    if (tag === undefined) continue;
    if (main.toTags.includes(tag)) return tag;
    const isKnown = call.transactions.some(
      (one) => one !== main && (one.toTags.includes(tag) || one.answers.some((answer) => answer.toTag === tag)),
    );
    if (isOnlyOneOpen && !isKnown) return tag;
  }
  return undefined;
}

/** The first BYE of a dialog, from either end. */
function byeOf({ dialogRequests }: SipCall, { facts }: InviteTransaction, toTag: string): DialogRequest | undefined {
  let first: DialogRequest | undefined;
  for (const one of dialogRequests) {
    const isForward = one.fromTag === facts.fromTag && one.toTag === toTag;
    const isBackward = one.fromTag === toTag && one.toTag === facts.fromTag;
    if (one.method !== 'BYE' || !(isForward || isBackward)) continue;
    if (first === undefined || one.atUs < first.atUs) first = one;
  }
  return first;
}
