import { parseSipRequest } from '../core/sip-request.js';
import type { SipRequestResult } from '../core/sip-request.js';

/** A request as an application of drachtio-srf has it: as much of it as is used here. */
export interface SipRequestLike {
  /**
   * The request as it came. What `get` gives is not enough: two Identity header fields are one there, joined by a comma, folded ones keep
   * their line ends, and the compact `y` goes by that name.
   */
  readonly raw: string;
  /** Address, port and transport that it came from: what trunks are told by. */
  readonly source_address?: string;
  readonly source_port?: number | string;
  readonly protocol?: string;
  /** Where middleware leaves what others want to know. */
  locals?: Record<string, unknown>;
}

/** A response as an application of drachtio-srf sends it: as much of it as is used here. */
export interface SipResponseLike {
  readonly send: (
    status: number,
    reasonPhrase: string,
    options: { readonly headers: Readonly<Record<string, string>> },
  ) => unknown;
}

/** Reads what came, and not what was made of it. Never throws for peer input. */
export const readRequestLike = ({ raw }: SipRequestLike): SipRequestResult =>
  typeof raw === 'string' ? parseSipRequest(raw) : { status: 'malformed', reason: 'request-empty', line: 1 };
