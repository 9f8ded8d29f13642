import { relayFailure } from '@hopback/sdk/switch';
import type { CallIdentity, TrackedCall } from '@hopback/sdk/switch';
import { joinEnds, SILENT_SDP } from './srf-face.js';
import type { SrfDialog, SrfFace, SrfRequest, SrfResponse } from './srf-face.js';

/** A leg that is sent out several times. */
export interface ForkOptions {
  readonly uri: string;
  readonly headers: Record<string, string>;
  readonly branches: number;
  readonly trunk: string;
  readonly tracked: TrackedCall | undefined;
  readonly identity: CallIdentity | undefined;
  /** Hears of each INVITE that has left. */
  readonly onSent: (request: SrfRequest) => void;
}

/**
 * Sends a call to several at once, and connects the caller to whoever answers first. The others are called off; who had answered in the same moment is
 * hung up on.
 * @see RFC 3261 section 16.7
 */
export async function forkCall(
  srf: SrfFace,
  { req, res }: { readonly req: SrfRequest; readonly res: SrfResponse },
  options: ForkOptions,
): Promise<void> {
  const { uri, headers, branches, tracked, trunk, identity } = options;
  const pending = new Set<SrfRequest>();
  let won: SrfDialog | undefined;
  let isCancelled = false;
  const ring = async (): Promise<SrfDialog> => {
    const leg = tracked?.branch({ trunk });
    let sent: SrfRequest | undefined;
    const callbacks = {
      cbRequest: (...parts: readonly unknown[]) => {
        leg?.cbRequest(...parts);
        sent = parts[1] as SrfRequest | undefined;
        if (sent === undefined || sent === null) return;
        pending.add(sent);
        options.onSent(sent);
      },
    };
    try {
      const dialog = await srf.createUAC(uri, { headers: { ...headers }, localSdp: req.body }, callbacks);
      if (sent !== undefined) pending.delete(sent);
      if (won === undefined && !isCancelled) return (won = dialog);
      await dialog.destroy();
      throw new TypeError('another one has answered');
    } finally {
      if (sent !== undefined) pending.delete(sent);
    }
  };
  const callOff = (): void => {
    for (const request of pending) request.cancel();
    pending.clear();
  };
  req.on('cancel', () => {
    isCancelled = true;
    callOff();
    res.send(487);
  });
  const legs = Array.from({ length: branches }, ring);
  try {
    const uac = await Promise.any(legs);
    callOff();
    const uas = await srf.createUAS(req, res, { localSdp: uac.remote.sdp || SILENT_SDP });
    tracked?.connected({ uas, uac });
    joinEnds(uas, uac);
  } catch (error) {
    const failure = error instanceof AggregateError ? (error.errors[0] as unknown) : error;
    if (!isCancelled) relayFailure(res, failure, { reasonHeaders: identity?.treatment.reasonHeaders ?? [] });
    tracked?.end();
  }
  // What became of the others is on record by itself.
  await Promise.allSettled(legs);
}
