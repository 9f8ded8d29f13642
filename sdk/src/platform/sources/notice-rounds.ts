import type { TimerClock } from '../../core/runtime/clock.js';
import type { PlatformClient } from '../client/platform-client.js';
import type { PlatformLogger } from '../client/request-options.js';
import type { FccNotice } from '../wire/notice.js';
import type { ArrivalDesk } from './arrival-desk.js';
import { MAX_OPEN_ARRIVALS } from './request-rounds.js';
import { codeOf } from './source-state.js';

/** How often notices are asked for, milliseconds: a quarter of an hour is nothing beside 48 hours. */
export const NOTICE_POLL_INTERVAL_MS = 900_000;

/** Closed notices that are older were dealt with by whoever answered before: twice the time that a report is due in. */
const MAX_CLOSED_AGE_MS: number = 28 * 86_400_000;

/** Notices that are remembered: a provider has some in a year. */
const MAX_REMEMBERED_NOTICES = 10_000;

/** Looks through the notices of the Commission. */
export interface NoticeRounds {
  /** Asks, where it is time to. Never rejects: requests do not wait for notices. */
  readonly go: () => Promise<void>;
}

/** Makes rounds that hand on notices that are new, or stand otherwise than they did. */
export function createNoticeRounds(
  notices: PlatformClient['notices'],
  desk: ArrivalDesk,
  { clock, logger }: { readonly clock: TimerClock; readonly logger: PlatformLogger | undefined },
): NoticeRounds {
  /** How each stood when it was taken in. */
  const taken = new Map<string, string>();
  /** Handed out, and neither acknowledged nor released. */
  const open = new Set<string>();
  let nextMs = -Infinity;

  const hand = (notice: FccNotice): void => {
    const { noticeId } = notice;
    open.add(noticeId);
    void desk.offer({ kind: 'notice', notice }).then((isTaken) => {
      open.delete(noticeId);
      if (!isTaken) return;
      taken.delete(noticeId);
      taken.set(noticeId, standing(notice));
      const [oldest] = taken.keys();
      if (taken.size > MAX_REMEMBERED_NOTICES && oldest !== undefined) taken.delete(oldest);
    });
  };

  const list = async (): Promise<void> => {
    const onUnreadable = (place: string): void =>
      logger?.warn({ place }, 'a notice cannot be read: look at it in the portal');
    for await (const notice of notices.iterate({}, { signal: desk.signal, onUnreadable })) {
      // The others come with the next round, which does not wait as long.
      if (open.size >= MAX_OPEN_ARRIVALS) return;
      const before = taken.get(notice.noticeId);
      if (open.has(notice.noticeId) || before === standing(notice)) continue;
      if (before !== undefined || isOfInterest(notice, clock.nowMs())) hand(notice);
    }
  };

  return {
    async go() {
      if (clock.nowMs() < nextMs) return;
      try {
        await list();
        if (open.size < MAX_OPEN_ARRIVALS) nextMs = clock.nowMs() + NOTICE_POLL_INTERVAL_MS;
      } catch (error) {
        if (!desk.signal.aborted) logger?.warn({ code: codeOf(error) }, 'notices could not be asked for');
      }
    },
  };
}

const standing = ({ state, responses }: FccNotice): string => `${state}/${responses.length}`;

/** One that was closed while nobody listened is of interest too: whoever tracks it is to know. */
function isOfInterest({ state, issuedAt }: FccNotice, nowMs: number): boolean {
  return state === 'open' || state === 'mitigation-stated' || nowMs - Date.parse(issuedAt) < MAX_CLOSED_AGE_MS;
}
