import type { Received } from '../received.js';
import type { Timers } from '../timers.js';
import type { Flow } from '../transport/flow.js';
import { ClientTransaction, type ClientTransactionUser } from './client-transaction.js';
import { ServerTransaction } from './server-transaction.js';
import { clientKey, serverKey } from './transaction-key.js';
import type { TimerBase } from './transition.js';

/** The user of the transaction layer: dialogs, applications, proxying. */
export interface TransactionLayerUser {
  /** A request that is not the repeat of one. */
  readonly onRequest: (received: Received, transaction: ServerTransaction) => void;
  /** A CANCEL, beside the INVITE's transaction where there is one. */
  readonly onCancel: (
    received: Received,
    transaction: ServerTransaction,
    invite: ServerTransaction | undefined,
  ) => void;
  /** An ACK that belongs to no transaction, or to one that answered with 2xx. */
  readonly onAck: (received: Received) => void;
  /** A response without a transaction. */
  readonly onStrayResponse: (received: Received) => void;
}

/** What the layer is made with. */
export interface TransactionLayerOptions {
  readonly timers: Timers;
  readonly base: TimerBase;
  readonly send: (flow: Flow, text: string, onError: () => void) => void;
  readonly responseFlow: (received: Received) => Flow;
  readonly onRetransmission: () => void;
}

/** A request to be sent in a new client transaction. */
export interface OutgoingRequest {
  readonly branch: string;
  readonly method: string;
  readonly flow: Flow;
  readonly text: string;
  readonly user: ClientTransactionUser;
}

/** All transactions of one server. */
export interface TransactionLayer {
  readonly receiveRequest: (received: Received) => void;
  readonly receiveResponse: (received: Received) => void;
  /** Whether a request belongs to a transaction that is there: repeats it, or is the CANCEL or ACK of its INVITE. */
  readonly isKnown: (received: Received) => boolean;
  /** Sends a request and keeps it until it is answered. */
  readonly request: (outgoing: OutgoingRequest) => ClientTransaction;
  readonly counts: () => { readonly server: number; readonly client: number };
  /** Ends all without a word. */
  readonly close: () => void;
}

/** Makes a transaction layer without transactions. @see RFC 3261 section 17, RFC 6026 */
export function createTransactionLayer(options: TransactionLayerOptions, user: TransactionLayerUser): TransactionLayer {
  const servers = new Map<string, ServerTransaction>();
  const clients = new Map<string, ClientTransaction>();
  const serverContext = { ...options, onEnd: (ended: ServerTransaction) => void servers.delete(ended.key) };
  const clientContext = { ...options, onEnd: (ended: ClientTransaction) => void clients.delete(ended.key) };

  const open = (received: Received, key: string): ServerTransaction => {
    const transaction = new ServerTransaction(received, key, serverContext);
    servers.set(key, transaction);
    return transaction;
  };

  return {
    receiveRequest: (received) => {
      const { method } = received.message;
      if (method === 'ACK') {
        const invite = servers.get(serverKey(received, 'INVITE'));
        if (invite === undefined || invite.acknowledge()) user.onAck(received);
        return;
      }
      const key = serverKey(received, method);
      const known = servers.get(key);
      if (known !== undefined) known.repeat();
      else if (method === 'CANCEL')
        user.onCancel(received, open(received, key), servers.get(serverKey(received, 'INVITE')));
      else user.onRequest(received, open(received, key));
    },
    receiveResponse: (received) => {
      const { via, method } = received.essentials;
      const transaction = clients.get(clientKey(via.via.branch, method));
      if (transaction === undefined) user.onStrayResponse(received);
      else transaction.receive(received);
    },
    isKnown: (received) => {
      const { method } = received.message;
      if (method !== 'ACK' && servers.has(serverKey(received, method))) return true;
      return (method === 'ACK' || method === 'CANCEL') && servers.has(serverKey(received, 'INVITE'));
    },
    request: ({ branch, method, flow, text, user: sender }) => {
      const key = clientKey(branch, method);
      const transaction = new ClientTransaction(
        { key, isInvite: method === 'INVITE', flow, text, user: sender },
        clientContext,
      );
      clients.set(key, transaction);
      transaction.start();
      return transaction;
    },
    counts: () => ({ server: servers.size, client: clients.size }),
    close: () => {
      for (const transaction of servers.values()) transaction.end();
      for (const transaction of clients.values()) transaction.end();
    },
  };
}
