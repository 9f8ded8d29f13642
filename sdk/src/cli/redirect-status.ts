import type { RedirectOutcome } from '../switch/index.js';
import { isHopbackError } from '../errors.js';
import type { ExitCode } from './exit-codes.js';
import type { CliIo } from './io.js';
import { countText, jsonLine } from './output.js';
import { createStatusLine } from './status-line.js';

/** How things stand. */
export interface RedirectState {
  readonly isConnected: boolean;
  readonly isDraining: boolean;
  /** INVITEs that wait for their answers. */
  readonly open: number;
  readonly answers: Readonly<Record<RedirectOutcome, number>>;
  /** Things that went wrong; the calls were answered. */
  readonly troubles: number;
  /** Attestation records that are lost. */
  readonly recordsLost: number;
}

/** What happened. */
export interface RedirectNotice {
  readonly kind: 'connected' | 'unreachable' | 'lost' | 'draining' | 'trouble' | 'not-reloaded';
  readonly detail: string;
}

/** Says what goes on, to people or to programs. */
export interface RedirectTeller {
  readonly status: (state: () => RedirectState) => void;
  readonly notice: (notice: RedirectNotice) => void;
  readonly ended: (state: RedirectState, exitCode: ExitCode) => void;
  readonly end: () => void;
}

/** No answers yet. */
export const NO_ANSWERS: Readonly<Record<RedirectOutcome, number>> = {
  ...{ signed: 0, verified: 0, 'nothing-to-say': 0 },
  ...{ blocked: 0, unavailable: 0, forbidden: 0 },
};

/** How often a line of JSON is written at most. */
const JSON_EVERY_MS = 1_000;
/** How often a line is written where there is no terminal. */
const PLAIN_EVERY_MS = 10_000;

/** Makes it. */
export function createRedirectTeller(io: CliIo, isJson: boolean): RedirectTeller {
  return isJson ? jsonTeller(io) : textTeller(io);
}

/** What is told of an error: of errors of others only what they are called, since there may be a telephone number in the rest. */
export const troubleText = (error: unknown): string =>
  isHopbackError(error) ? error.message : error instanceof Error ? error.name : typeof error;

function statusText(state: RedirectState): string {
  const { isConnected, isDraining, open } = state;
  const doing = !isConnected ? 'NOT CONNECTED' : isDraining ? 'draining' : 'serving';
  return `${doing}, ${String(open)} open; ${countsText(state)}`;
}

function countsText({ answers, troubles, recordsLost }: RedirectState): string {
  const { signed, verified, blocked, unavailable, forbidden } = answers;
  return [
    `${String(signed)} signed, ${String(verified)} verified, ${String(answers['nothing-to-say'])} left as they were, ` +
      `${String(blocked)} blocked`,
    ...(unavailable > 0 ? [`${String(unavailable)} not served`] : []),
    ...(forbidden > 0 ? [`${String(forbidden)} of strangers`] : []),
    ...(troubles > 0 ? [countText(troubles, 'trouble')] : []),
    ...(recordsLost > 0 ? [`${countText(recordsLost, 'attestation record')} LOST`] : []),
  ].join('; ');
}

const MARKS: Readonly<Record<RedirectNotice['kind'], string>> = {
  ...{ connected: '✓ connected to', unreachable: '!', lost: '!', draining: '·', trouble: '!' },
  'not-reloaded': '! not reloaded, what was in force stays:',
};

function textTeller(io: CliIo): RedirectTeller {
  const line = createStatusLine(io, { output: io.stdout, plainMs: PLAIN_EVERY_MS });
  return {
    status: (state) => line.show(() => statusText(state())),
    notice: ({ kind, detail }) => line.note([`${MARKS[kind]} ${detail}`]),
    ended: (state, exitCode) => line.note([`${exitCode === 0 ? '✓' : '!'} ended: ${countsText(state)}`]),
    end: line.end,
  };
}

function jsonTeller(io: CliIo): RedirectTeller {
  let toldAtMs = -Infinity;
  let last = '';
  const tell = (format: string, document: object): void =>
    io.stdout.write(jsonLine({ format, atMs: io.clock.nowMs(), ...document }));
  return {
    status(state) {
      const nowMs = io.elapsedMs();
      if (nowMs - toldAtMs < JSON_EVERY_MS) return;
      toldAtMs = nowMs;
      const now = state();
      const text = JSON.stringify(now);
      if (text === last) return;
      last = text;
      tell('hopback.redirect.1', now);
    },
    notice: (notice) => tell('hopback.redirect-notice.1', notice),
    ended: (state, exitCode) => tell('hopback.redirect.1', { ...state, isEnded: true, exitCode }),
    end: () => undefined,
  };
}
