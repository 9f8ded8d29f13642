import type { PlatformLog } from '../../platform/index.js';
import { LOG_LEVELS } from './settings.js';
import type { LogLevel } from './settings.js';

const nothing = (): void => undefined;

/** The part of a log from a level on. */
export function fromLevel(log: PlatformLog, level: LogLevel): PlatformLog {
  const isWritten = (of: LogLevel): boolean => LOG_LEVELS.indexOf(of) >= LOG_LEVELS.indexOf(level);
  return {
    info: isWritten('info') ? log.info : nothing,
    warn: isWritten('warn') ? log.warn : nothing,
    error: isWritten('error') ? log.error : nothing,
  };
}
