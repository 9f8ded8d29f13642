import type { AppDirectory } from '../control/app-directory.js';
import { cdrPayload } from '../control/frames.js';

/** Which side of which kind of agent a call was answered by. */
export type CdrRole = 'proxy-uac' | 'proxy-uas' | 'uac' | 'uas';

/** Why a call, or the attempt at one, ended. */
export type CdrReason =
  'call-rejected' | 'call-canceled' | 'normal-release' | 'session-expired' | 'system-initiated-termination';

/** Where the message that a record is about came from. */
export type CdrSource = 'network' | 'application';

/** Writes call detail records to applications that asked for them; nothing where they are switched off. */
export interface CdrWriter {
  readonly attempt: (source: CdrSource, text: string) => void;
  readonly start: (source: CdrSource, role: CdrRole, text: string) => void;
  readonly stop: (source: CdrSource, reason: CdrReason, text: string) => void;
}

/** What a writer needs. */
export interface CdrWriterOptions {
  readonly isOn: boolean;
  readonly apps: AppDirectory;
  readonly frameId: () => string;
  readonly timeOfDay: () => string;
}

/** Makes a writer. Each record goes to one application, in turn, among those that asked for its kind. */
export function createCdrWriter({ isOn, apps, frameId, timeOfDay }: CdrWriterOptions): CdrWriter {
  const write = (
    event: 'attempt' | 'start' | 'stop',
    source: CdrSource,
    record: { detail: string; text: string },
  ): void => {
    if (!isOn) return;
    const app = apps.next(`cdr:${event}`);
    app?.send(cdrPayload(frameId(), { event, source, time: timeOfDay(), ...record }));
  };
  return {
    attempt: (source, text) => write('attempt', source, { detail: '', text }),
    start: (source, role, text) => write('start', source, { detail: role, text }),
    stop: (source, reason, text) => write('stop', source, { detail: reason, text }),
  };
}

/** How a call that got this final status instead of an answer ended. */
export function rejectionOf(status: number): CdrReason {
  return status === 487 ? 'call-canceled' : 'call-rejected';
}
