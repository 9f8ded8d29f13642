import type { NoticeResponse, FccNotice } from '@hopback/sdk/platform';
import type { ProviderReference } from '@hopback/sdk/traceback';
import type { TracebackView } from '@hopback/sdk/internal';

type NoticeState = FccNotice['state'];

/** Something in a traceback that waits for a person of the traceback group. */
export type WaitingItem =
  /** The traceback got no further: a person can name a neighbour, or take the outcome as it is. */
  | {
      readonly kind: 'stalled';
      readonly outcome: string;
      readonly outcomeKey: string;
      readonly requestId: string;
      readonly provider?: ProviderReference;
    }
  /** Two statements contradict each other, or an answer discloses another call than it was asked about. */
  | {
      readonly kind: 'dispute';
      readonly disputeId: string;
      readonly requestId: string;
      readonly parties: readonly ProviderReference[];
      readonly statements: readonly string[];
      /** Where an answer discloses another call than it was asked about: in what it differs. */
      readonly differsIn?: NonNullable<TracebackView['disputes'][number]['differsIn']>;
    }
  /** Somebody was named that no registry has. */
  | {
      readonly kind: 'unidentified';
      readonly requestId: string;
      readonly name: string;
    }
  /** Several say that they sent the call. */
  | { readonly kind: 'neighbours'; readonly requestId: string }
  /** A deadline has passed. */
  | {
      readonly kind: 'overdue';
      readonly requestId: string;
      readonly provider?: ProviderReference;
    };

/**
 * What in a traceback waits for a person. It follows from where the traceback stands, so that it is gone as soon as it is settled, by whatever.
 * @returns the items, in the order of the path; never throws
 */
export function waitingItems({ status, outcome, path, disputes }: TracebackView): readonly WaitingItem[] {
  if (status === 'cancelled') return [];
  const items: WaitingItem[] = path.flatMap((hop): WaitingItem[] => {
    const { requestId, provider, contact, state } = hop;
    if (state === 'planned' && provider === undefined)
      return [{ kind: 'unidentified', requestId, name: contact?.name ?? '' }];
    return state === 'overdue' ? [{ kind: 'overdue', requestId, ...(provider !== undefined && { provider }) }] : [];
  });
  for (const { disputeId, requestId, downstream, upstream, neighbour, statements, differsIn, ruling } of disputes) {
    if (ruling !== undefined) continue;
    const parties = [downstream, upstream, neighbour].filter((party) => party !== undefined);
    const why = differsIn === undefined ? {} : { differsIn };
    items.push({
      kind: 'dispute',
      disputeId,
      requestId,
      parties,
      statements,
      ...why,
    });
  }
  if (outcome === undefined || outcome.isFinal) return items;
  const { kind, key, requestId, provider } = outcome;
  items.push(
    kind === 'several-neighbours'
      ? { kind: 'neighbours', requestId }
      : {
          kind: 'stalled',
          outcome: kind,
          outcomeKey: key,
          requestId,
          ...(provider !== undefined && { provider }),
        },
  );
  return items;
}

/** Responses to one notice: the two that are due, and what was added. */
export const MAX_NOTICE_RESPONSES = 100;

/** A response as it is held: by its id and what it says. */
export interface HeldResponse {
  readonly responseId: string;
  readonly kind: NoticeResponse['kind'];
  readonly sha256: string;
}

/** What becomes of a response. */
export type ResponseReception =
  | { readonly status: 'taken'; readonly state: NoticeState }
  /** It was there. */
  | { readonly status: 'repeat' }
  /** Its id stands for another response, the notice is withdrawn, or there are too many. */
  | { readonly status: 'conflict' };

/**
 * Decides about a response to a notice: first what was done, then what was found; what comes after a report adds to it. A late response is taken,
 * and its lateness shows by its time.
 * @returns what becomes of it; never throws
 * @see 47 CFR 64.1200(n)(2)
 */
export function receiveResponse(
  notice: { readonly state: NoticeState; readonly responses: readonly HeldResponse[] },
  response: HeldResponse,
): ResponseReception {
  const before = notice.responses.find(({ responseId }) => responseId === response.responseId);
  if (before !== undefined) return { status: before.sha256 === response.sha256 ? 'repeat' : 'conflict' };
  if (notice.state === 'withdrawn' || notice.responses.length >= MAX_NOTICE_RESPONSES) return { status: 'conflict' };
  if (response.kind === 'report') return { status: 'taken', state: 'reported' };
  return { status: 'taken', state: notice.state === 'open' ? 'mitigation-stated' : notice.state };
}
