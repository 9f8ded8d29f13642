import { lifecycleRules } from '@hopback/sdk/internal';
import type { AreaDefinition, PlatformArea, PlatformContext, TracebackDesk } from '../core/index.js';
import { tracebackJobs } from './deadline-jobs.js';
import { createTracebackEngine } from './engine.js';
import { noticeOperations, requestOperations } from './request-operations.js';
import type { StaffBody } from './staff-bodies.js';
import { STAFF_SCHEMAS } from './staff-bodies.js';
import { staffOperations, tracebackOperations } from './traceback-operations.js';
import { STAFF_ROUTES } from './staff-routes.js';
import { createTracebackDesk } from './open-traceback.js';
import type { TracebacksOptions } from './tracebacks-tables.js';
import { TRACEBACKS_MIGRATIONS } from './tracebacks-tables.js';
import { createAnswerVerifier } from './verify-answer.js';

export { createReceiptSigner } from './verify-answer.js';
export { requestOutcomes } from './open-traceback.js';
export type { TracebacksOptions } from './tracebacks-tables.js';

/** What waits for people. */
export type WaitingPage = StaffBody<'WaitingPage'>;

/** The area before it is opened. */
export const tracebacksDefinition: AreaDefinition = { name: 'tracebacks', migrations: TRACEBACKS_MIGRATIONS };

/** The area, and the port by which others deal with it. */
export interface TracebacksArea extends PlatformArea {
  readonly desk: TracebackDesk;
}

/**
 * Makes the area that conducts tracebacks: opens them, asks providers hop by hop, takes their answers in, and keeps their deadlines.
 * @param context - of the platform
 * @param options - ports of other areas, and by which rules it is conducted
 * @returns the area
 * @throws HopbackError `invalid-configuration` for rules that cannot be
 */
export function createTracebacksArea(context: PlatformContext, options: TracebacksOptions): TracebacksArea {
  const bare = { ...options, context, rules: lifecycleRules(options.rules) };
  const parts = { ...bare, engine: createTracebackEngine(bare), verify: createAnswerVerifier() };
  return {
    name: 'tracebacks',
    routes: STAFF_ROUTES,
    schemas: STAFF_SCHEMAS,
    operations: {
      ...tracebackOperations(parts),
      ...requestOperations(parts),
      ...noticeOperations(parts),
      ...staffOperations(parts),
    },
    jobs: tracebackJobs(parts),
    reactions: {},
    desk: createTracebackDesk(parts),
  };
}
