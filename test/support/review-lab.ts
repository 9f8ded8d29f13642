import { accountEntry, readAccounts } from '../../sdk/src/sidecar/review/sessions.js';
import { reviewApp } from '../../sdk/src/sidecar/review/review-app.js';
import type { ReviewAppOptions } from '../../sdk/src/sidecar/review/review-app.js';
import type { ReviewAuditEntry } from '../../sdk/src/sidecar/review/review-parts.js';
import { DEFAULT_TRACEBACK_POLICY } from '../../sdk/src/traceback/index.js';
import type { TracebackRequest } from '../../sdk/src/traceback/index.js';
import { openResponder } from './responder-lab.js';
import { aRequest, DIRECTORY, SEVERAL_CALLS, US } from './traceback-cases.js';

export const NAME = 'duty engineer';
export const PASSWORD = 'correct horse battery staple';
/** One for all tests of a process: to make one costs some tenths of a second. */
const entry = accountEntry({ name: NAME, password: PASSWORD });

/** The review page of a carrier that has two calls for each request. */
export async function createReviewLab(options: Partial<ReviewAppOptions> = {}) {
  const lab = await openResponder({ findMatch: () => Promise.resolve(SEVERAL_CALLS) });
  const accounts = readAccounts(await entry);
  const audit: ReviewAuditEntry[] = [];
  const app = reviewApp({
    responder: lab.responder,
    context: { policy: DEFAULT_TRACEBACK_POLICY, directory: DIRECTORY, provider: US },
    accounts: () => accounts,
    audit: async (done) => void audit.push(done),
    zone: 'America/New_York',
    clock: lab.clock,
    ...options,
  });
  /** Submits requests, and waits until they wait for a person. */
  const ask = async (...requests: readonly Partial<TracebackRequest>[]): Promise<void> => {
    for (const request of requests) await lab.responder.submit(aRequest(request));
    await lab.responder.settled();
  };
  return { ...lab, app, audit, ask, [Symbol.asyncDispose]: (): Promise<void> => lab.responder.close() };
}

export type ReviewLab = Awaited<ReturnType<typeof createReviewLab>>;
