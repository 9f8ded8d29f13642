// Written by `npm run contract`: what the docstrings of the interfaces say, by place. Change it there.
import { ACCESS_DESCRIPTIONS } from './access.js';
import { ALERTS_DESCRIPTIONS } from './alerts.js';
import { CAMPAIGNS_DESCRIPTIONS } from './campaigns.js';
import { DEMANDS_DESCRIPTIONS } from './demands.js';
import { EVIDENCE_DESCRIPTIONS } from './evidence.js';
import { NOTICES_DESCRIPTIONS } from './notices.js';
import { PROVIDERS_DESCRIPTIONS } from './providers.js';
import { RECORDS_DESCRIPTIONS } from './records.js';
import { TRACEBACKS_DESCRIPTIONS } from './tracebacks.js';
import { WEBHOOKS_DESCRIPTIONS } from './webhooks.js';

/** What members of bodies mean. */
export const DESCRIPTIONS: Readonly<Record<string, string>> = {
  ...ACCESS_DESCRIPTIONS,
  ...ALERTS_DESCRIPTIONS,
  ...CAMPAIGNS_DESCRIPTIONS,
  ...DEMANDS_DESCRIPTIONS,
  ...EVIDENCE_DESCRIPTIONS,
  ...NOTICES_DESCRIPTIONS,
  ...PROVIDERS_DESCRIPTIONS,
  ...RECORDS_DESCRIPTIONS,
  ...TRACEBACKS_DESCRIPTIONS,
  ...WEBHOOKS_DESCRIPTIONS,
};
