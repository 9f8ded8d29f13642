export { callTruth, networkTruth } from './network-truth.js';
export type { NetworkTruth } from './network-truth.js';
export { saidKind } from './truth.js';
export type {
  AnsweringHabits,
  Attestation,
  CallTruth,
  CarriedTruth,
  FairOutcome,
  GivenAnswer,
  SaidKind,
  TrueAnswer,
  TrueFault,
  TrueHop,
  TrueIdentity,
  TrueStatement,
  TrueVerdict,
} from './truth.js';
