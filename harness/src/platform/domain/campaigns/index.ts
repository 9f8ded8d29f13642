export type { AnalystDecision, CampaignEngine, CampaignEngineOptions } from './campaign-engine.js';
export { createCampaignEngine } from './campaign-engine.js';
export type { CampaignChange, CampaignFile, CampaignKey, SavedCampaign } from './campaign-file.js';
export { keyName, restoredCampaign, savedCampaign } from './campaign-file.js';
export type { EvidenceJoiner, JoinedEvidence, KnownEvidence } from './count-evidence.js';
export { createEvidenceJoiner, recordsOfCalls } from './count-evidence.js';
export type { PastTraceback } from './campaign-policy.js';
export {
  DEFAULT_CAMPAIGN_LIMITS,
  MAX_CAMPAIGN_TRACEBACKS,
  MAX_OPEN_TRACEBACKS,
  tracebackBudget,
} from './campaign-policy.js';
export { callsWithBase, describeCampaign, describeForOthers } from './describe-campaign.js';
export { EVIDENCE_GAP_MS } from './placed-call.js';
export { decodeState, encodeState } from './state-codec.js';
