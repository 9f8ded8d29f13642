import type { AppConnection } from '../control/app-connection.js';
import type { Dialog } from '../dialog/dialog.js';
import type { ClientTransaction } from '../transaction/client-transaction.js';
import type { Flow } from '../transport/flow.js';

/** A request that an application sent and that has not ended. */
export interface OutgoingRequest {
  /** As the application knows it. */
  readonly transactionId: string;
  readonly app: AppConnection;
  readonly method: string;
  readonly callId: string;
  readonly cseq: number;
  /** Values of From and To as sent. */
  readonly from: string;
  readonly to: string;
  readonly fromTag: string;
  readonly requestUri: string;
  readonly routes: readonly string[];
  /** Name of the dialog that it belongs to or may make; empty for others. */
  readonly dialogId: string;
  /** The dialog that it was sent in; undefined outside dialogs. */
  readonly dialog: Dialog | undefined;
  /** Whether it says that a subscription is over. */
  readonly isTerminating: boolean;
  /** Set while sending; a request that moves to another transport gets new ones. */
  flow: Flow;
  branch: string;
  transaction: ClientTransaction | undefined;
  /** Whether a provisional response has come: without one nothing can be cancelled. */
  hasProvisional: boolean;
  /** Whether a final response has come. */
  isAnswered: boolean;
  /** A CANCEL was asked for. */
  isCancelled: boolean;
  /** Sends the CANCEL that waits for a provisional response. */
  sendCancel: (() => void) | undefined;
  /** Ends the waiting for a final response after a CANCEL. */
  cancelWait: (() => void) | undefined;
  /** To tag of the 2xx that made the dialog. */
  answeredTag: string | undefined;
  /** The ACK for the 2xx, to be sent again with each of its repeats. */
  acknowledgement: { readonly flow: Flow; readonly text: string } | undefined;
  /** RSeq of the last reliable provisional response, per To tag. */
  lastRseq: Map<string, number> | undefined;
  /** Responses that are held back, in their order; undefined where none are. */
  held: (() => void)[] | undefined;
}
