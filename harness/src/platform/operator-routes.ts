import { ALERT_ROUTES } from './alerts/alert-routes.js';
import { AUDIT_ROUTES } from './audit/audit-routes.js';
import { CAMPAIGNS_ROUTES } from './campaigns/campaigns-routes.js';
import type { ServedRoute } from './core/index.js';
import { DEMAND_OPERATOR_ROUTES } from './demands/routes.js';
import { PROVIDER_ROUTES } from './providers/provider-routes.js';
import { RECORDS_ROUTES } from './records/records-routes.js';
import { STAFF_ROUTES } from './tracebacks/staff-routes.js';
import { TRUST_ROUTES } from './trust/trust-routes.js';

/**
 * Every route of the reference platform beside the contract: those of operators, agencies and providers. Nothing of the platform but these tables is
 * loaded with it.
 */
export const OPERATOR_ROUTES: readonly ServedRoute[] = [
  ...TRUST_ROUTES,
  ...AUDIT_ROUTES,
  ...PROVIDER_ROUTES,
  ...RECORDS_ROUTES,
  ...STAFF_ROUTES,
  ...CAMPAIGNS_ROUTES,
  ...ALERT_ROUTES,
  ...DEMAND_OPERATOR_ROUTES,
];
