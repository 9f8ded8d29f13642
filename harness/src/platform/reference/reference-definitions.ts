import { alertsDefinition } from '../alerts/index.js';
import { auditDefinition } from '../audit/index.js';
import { campaignsDefinition } from '../campaigns/index.js';
import type { AreaDefinition } from '../core/index.js';
import { DEMANDS_DEFINITION } from '../demands/index.js';
import { eventsDefinition } from '../events/index.js';
import { httpDefinition } from '../http/index.js';
import { providersDefinition } from '../providers/index.js';
import { recordsDefinition } from '../records/index.js';
import { tracebacksDefinition } from '../tracebacks/index.js';
import { trustDefinition } from '../trust/index.js';

/** Tables of every area of the reference platform, those of the platform itself among them. */
export const REFERENCE_DEFINITIONS: readonly AreaDefinition[] = [
  trustDefinition,
  eventsDefinition,
  httpDefinition,
  auditDefinition,
  providersDefinition,
  recordsDefinition,
  tracebacksDefinition,
  campaignsDefinition,
  alertsDefinition,
  DEMANDS_DEFINITION,
];
