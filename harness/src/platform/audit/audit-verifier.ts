import type { TimerClock } from '@hopback/sdk/platform';
import type { AuditLog, AuditVerification } from '../database/index.js';
import type { AuditFaultRecord, AuditVerificationRecord } from './audit-bodies.js';

/** How long a call waits for a result: less than clients and proxies wait for an answer. */
const WAIT_MS = 15_000;
/** A result that nobody fetched is not shown as one of now after this time. */
const RESULT_KEPT_MS = 600_000;
/** Findings that an answer has. */
const SHOWN_FINDINGS = 100;

interface Run {
  readonly startedMs: number;
  endedMs: number | undefined;
  readonly result: Promise<AuditVerificationRecord>;
}

/**
 * Looks through the whole audit for those who ask: one look at a time, which all who ask meanwhile wait for.
 * @returns asks. It rejects as {@link AuditLog.verify}
 */
export function createAuditVerifier({
  context: { clock },
  log,
}: {
  readonly context: { readonly clock: TimerClock };
  readonly log: AuditLog;
}): () => Promise<AuditVerificationRecord> {
  let run: Run | undefined;
  const begin = (): Run => {
    const startedMs = clock.nowMs();
    const result = log.verify().then((verification) => recordOf(verification, { startedMs, endedMs: clock.nowMs() }));
    const begun: Run = { startedMs, endedMs: undefined, result };
    result.then(
      () => (begun.endedMs = clock.nowMs()),
      () => {
        if (run === begun) run = undefined;
      },
    );
    return begun;
  };
  return async () => {
    if (run?.endedMs !== undefined && clock.nowMs() - run.endedMs > RESULT_KEPT_MS) run = undefined;
    const asked = (run ??= begin());
    const late = later(clock, WAIT_MS);
    const running: AuditVerificationRecord = { status: 'running', startedAt: new Date(asked.startedMs).toISOString() };
    const answer = await Promise.race([asked.result, late.passed.then(() => running)]).finally(late.stop);
    // Whoever asks next gets a look of their own.
    if (answer !== running && run === asked) run = undefined;
    return answer;
  };
}

function later(clock: TimerClock, ms: number): { readonly passed: Promise<void>; readonly stop: () => void } {
  let stop = (): void => undefined;
  const passed = new Promise<void>((resolve) => {
    stop = clock.schedule(resolve, ms);
  });
  return { passed, stop: () => stop() };
}

function recordOf(
  { findings, checkpoint: _checkpoint, ...figures }: AuditVerification,
  { startedMs, endedMs }: { readonly startedMs: number; readonly endedMs: number },
): AuditVerificationRecord {
  return {
    ...figures,
    startedAt: new Date(startedMs).toISOString(),
    endedAt: new Date(endedMs).toISOString(),
    findings: findings.slice(0, SHOWN_FINDINGS).map((finding): AuditFaultRecord => {
      const leafIndex = finding.in === 'log' ? finding.finding.leafIndex : undefined;
      const at = leafIndex ?? ('leafIndex' in finding ? finding.leafIndex : undefined);
      return {
        segment: finding.segment,
        ...('position' in finding && finding.position !== undefined && { position: finding.position }),
        ...(at !== undefined && { leafIndex: at }),
        kind: finding.in === 'log' ? finding.finding.kind : finding.kind,
      };
    }),
  };
}
