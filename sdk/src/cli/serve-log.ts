import { pino } from 'pino';
import type { Logger } from 'pino';
import { maskTelephoneNumber } from '../stir/index.js';
import type { AnsweredRequest, SidecarConfiguration, SidecarNotice, VerifiedCall } from '../sidecar/index.js';
import type { CliLog } from './io.js';

/** The log of a sidecar: a JSON object a line, telephone numbers masked. */
export interface ServeLog {
  readonly notice: (notice: SidecarNotice) => void;
  readonly verified: (call: VerifiedCall) => void;
  readonly answered: (answered: AnsweredRequest) => void;
  readonly ready: (fields: Readonly<Record<string, unknown>>) => void;
}

/**
 * @param log - where lines go
 * @param configuration - in force: its level and which calls get a line; asked each time, so that a reload is heard
 */
export function createServeLog(log: CliLog, configuration: () => SidecarConfiguration['log']): ServeLog {
  const logger: Logger = pino(
    {
      level: 'debug',
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line: string) => log.write(line) },
  );
  const isLogged = (level: keyof typeof LEVELS): boolean => LEVELS[level] >= LEVELS[configuration().level];
  return {
    notice({ level, part, text }) {
      if (isLogged(level)) logger[level]({ part }, text);
    },
    verified({ verdict, requestId, trunk, callId }) {
      const { calls } = configuration();
      if (calls === 'none' || (calls === 'poor' && verdict.status === 'passed') || !isLogged('info')) return;
      const { orig, dest } = verdict.evidence.request;
      logger.info(
        {
          requestId,
          ...(callId !== undefined && { callId }),
          ...(trunk !== undefined && { trunk }),
          verstat: verdict.verstat,
          ...(verdict.attestation !== undefined && { attestation: verdict.attestation }),
          reasons: verdict.reasons,
          ...(orig !== undefined && { from: maskTelephoneNumber(orig) }),
          ...(dest !== undefined && { to: maskTelephoneNumber(dest) }),
        },
        'call verified',
      );
    },
    answered(answered) {
      if (answered.status >= 400 && isLogged('debug')) logger.debug({ ...answered }, 'request refused');
    },
    ready: (fields) => logger.info(fields, 'ready'),
  };
}

const LEVELS = { debug: 20, info: 30, warn: 40, error: 50, silent: 100 } as const;
