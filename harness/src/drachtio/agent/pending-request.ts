import type { AppConnection } from '../control/app-connection.js';
import type { Dialog } from '../dialog/dialog.js';
import { HEADER } from '../message/header-names.js';
import { headerLines, headerValue } from '../message/sip-message.js';
import { viaLines, type Received } from '../received.js';
import type { Timer } from '../timers.js';
import type { ServerTransaction } from '../transaction/server-transaction.js';

/** A request that an application has been handed and has not answered finally. */
export interface PendingRequest {
  readonly transactionId: string;
  readonly received: Received;
  readonly transaction: ServerTransaction;
  readonly app: AppConnection;
  /** The To tag of its responses; the application may choose it with its first one. */
  localTag: string;
  /** The dialog that it arrived in, or that its responses have made. */
  dialog: Dialog | undefined;
  /** Whether it came with a To tag, and so can make no dialog. */
  readonly isInDialog: boolean;
  /** Whether the application has sent a response. */
  hasResponded: boolean;
  /** Parts of every response, written once. */
  copied: CopiedFields | undefined;
  /** Until when the application is waited for. */
  expiry: Timer | undefined;
}

/** What responses repeat of their request. */
export interface CopiedFields {
  readonly vias: string;
  readonly recordRoutes: string;
  readonly from: string;
  readonly to: string;
  readonly cseq: string;
}

/** The fields of a request that its responses repeat; read once a request. @see RFC 3261 section 8.2.6.2 */
export function copiedFields(pending: PendingRequest): CopiedFields {
  pending.copied ??= {
    vias: viaLines(pending.received),
    recordRoutes: headerLines(pending.received.message, HEADER.recordRoute),
    from: headerValue(pending.received.message, HEADER.from) ?? '',
    to: headerValue(pending.received.message, HEADER.to) ?? '',
    cseq: headerValue(pending.received.message, HEADER.cseq) ?? '',
  };
  return pending.copied;
}
