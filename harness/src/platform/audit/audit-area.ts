import type { AreaDefinition, PlatformArea, PlatformContext } from '../core/index.js';
import type { AuditLog } from '../database/index.js';
import { AUDIT_SCHEMAS } from './audit-bodies.schema.js';
import { auditOperations } from './audit-operations.js';
import { AUDIT_ROUTES } from './audit-routes.js';

/** How often the end of the audit is compared with its log while the platform runs, milliseconds. */
const CHECK_EVERY_MS = 600_000;

/** The audit has no tables but those of the core. */
export const auditDefinition: AreaDefinition = { name: 'audit', migrations: [] };

/**
 * Makes the area in which operators read the audit, with proofs of its Merkle log.
 * @param context - of the platform
 * @param ports - the log, which stays open when the area is closed
 */
export function createAuditArea(context: PlatformContext, ports: { readonly log: AuditLog }): PlatformArea {
  const close = async (): Promise<void> => undefined;
  return {
    name: auditDefinition.name,
    routes: AUDIT_ROUTES,
    schemas: AUDIT_SCHEMAS,
    operations: auditOperations({ context, log: ports.log }),
    jobs: [{ name: 'audit.check', everyMs: CHECK_EVERY_MS, run: async () => void (await ports.log.check()) }],
    reactions: {},
    notices: () => {
      const broken = ports.log.broken();
      return broken === undefined ? [] : [{ text: `audit: broken at ${broken.position}`, isWarning: true }];
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
