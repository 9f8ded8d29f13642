export { createPseudonyms, MAX_PSEUDONYM_KEY_BYTES, MIN_PSEUDONYM_KEY_BYTES, PSEUDONYM_DIGITS } from './pseudonyms.js';
export type { PseudonymDomain, PseudonymOptions, Pseudonyms } from './pseudonyms.js';
export { decideSharing, explainSharing, shareRecord } from './share-record.js';
export type { SharingDecision, SharingExplanation, SharingOutcome } from './share-record.js';
export {
  createSharingPolicy,
  DEFAULT_SHARING_POLICY,
  MAX_SHARING_EXCEPTIONS,
  SHARING_LEVELS,
} from './sharing-policy.js';
export type {
  MemberPolicy,
  SendingLevel,
  SharingException,
  SharingLevel,
  SharingPolicy,
  SharingPolicyData,
  SharingPolicyOptions,
} from './sharing-policy.js';
export { readSharingPolicy } from './read-sharing-policy.js';
export { MEMBER_RULES } from './sharing-rules.js';
export type { MemberExplanation, MemberRule, MemberTreatment, SharingReason } from './sharing-rules.js';
export type { MemberLeaf, MemberNode, MemberObject, MemberParty } from './member-tree.js';
