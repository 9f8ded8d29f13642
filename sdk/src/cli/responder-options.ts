import { readResponder } from '../traceback/index.js';
import type { ResponderEntry, ResponderSnapshot } from '../traceback/index.js';
import type { CliIo } from './io.js';
import type { Options, OptionSpecs } from './options.js';
import { shownText } from './shown-text.js';
import { UsageError } from './usage-error.js';

/** Names of {@link RESPONDER_OPTIONS}. */
export type ResponderOption = 'responder';

/** Options of every command that looks at a responder. */
export const RESPONDER_OPTIONS: OptionSpecs<ResponderOption> = {
  responder: { value: 'DIR', env: 'HOPBACK_RESPONDER', text: 'folder of the responder, which may be running' },
};

/** Note of every command that looks at a responder. */
export const RESPONDER_NOTE = 'What the responder has is read beside it: nothing is locked or changed.';

/** The folder that is named. @throws {@link UsageError} when none is */
export function responderDirectory(options: Options<ResponderOption>): string {
  const directory = options.text('responder');
  if (directory === undefined) throw new UsageError('say which responder: --responder DIR, or HOPBACK_RESPONDER');
  return directory;
}

/** What the responder has. @throws {@link UsageError} when none is named; {@link HopbackError} as `readResponder` */
export async function responderSnapshot(options: Options<ResponderOption>, io: CliIo): Promise<ResponderSnapshot> {
  const directory = responderDirectory(options);
  io.keepPrivate();
  return readResponder(directory);
}

/** The request that is named. @throws {@link UsageError} when none is, or it is not there */
export function requestedEntry(snapshot: ResponderSnapshot, operands: readonly string[]): ResponderEntry {
  const [requestId, ...more] = operands;
  if (requestId === undefined || more.length > 0)
    throw new UsageError('name one request, as hopback traceback list shows it');
  const entry = snapshot.entries.find((one) => one.requestId === requestId);
  if (entry === undefined) throw new UsageError(`there is no request ${shownText(requestId)}`);
  return entry;
}
