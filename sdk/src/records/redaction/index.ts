export {
  DEFAULT_SHARING_POLICY,
  MAX_PSEUDONYM_KEY_BYTES,
  MAX_SHARING_EXCEPTIONS,
  MEMBER_RULES,
  MIN_PSEUDONYM_KEY_BYTES,
  PSEUDONYM_DIGITS,
  SHARING_LEVELS,
  createPseudonyms,
  createSharingPolicy,
} from './sharing-policy.js';
export type {
  MemberExplanation,
  MemberLeaf,
  MemberNode,
  MemberObject,
  MemberParty,
  MemberPolicy,
  MemberRule,
  MemberTreatment,
  PseudonymDomain,
  PseudonymOptions,
  Pseudonyms,
  SendingLevel,
  SharingException,
  SharingLevel,
  SharingPolicy,
  SharingPolicyData,
  SharingPolicyOptions,
  SharingReason,
} from './sharing-policy.js';
export { decideSharing, explainSharing, shareRecord } from './share-record.js';
export type { SharingDecision, SharingExplanation, SharingOutcome } from './share-record.js';
export { readSharingPolicy } from './read-sharing-policy.js';
