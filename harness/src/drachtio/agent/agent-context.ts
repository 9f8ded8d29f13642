import type { AppConnection } from '../control/app-connection.js';
import type { AppDirectory } from '../control/app-directory.js';
import type { FrameMeta } from '../control/frames.js';
import type { DialogStore } from '../dialog/dialog-store.js';
import type { LocalAddress } from '../message/app-message.js';
import type { Identifiers } from '../identifiers.js';
import type { Timers } from '../timers.js';
import type { TransactionLayer } from '../transaction/transaction-layer.js';
import type { TimerBase } from '../transaction/transition.js';
import type { Flow, TransportName } from '../transport/flow.js';
import type { Transports } from '../transport/transports.js';
import type { CdrWriter } from './cdr.js';

/** What agents do in the name of applications, and how patiently. */
export interface AgentSettings {
  readonly timers: TimerBase;
  /** How long an application may leave a request unanswered, milliseconds. */
  readonly appAnswerMs: number;
  /**
   * How long the first response to a request outside dialogs is held back after the application was told that it went out. The
   * promise form of `srf.request()` has no listener before its promise has resolved.
   */
  readonly firstResponseHoldMs: number;
  /** How long an INVITE goes without 100 Trying. */
  readonly tryingHoldMs: number;
  /**
   * How long requests within a call are held back after the application was told that it was answered. An application that hears of
   * a BYE in the turn in which it hears of the answer has no listener for it yet, and leaves the other leg standing.
   */
  readonly answerHoldMs: number;
  /** Requests larger than this leave by a stream transport; undefined for never. @see RFC 3261 section 18.1.1 */
  readonly mtuBytes: number | undefined;
}

/** What all agents of one server share. */
export interface AgentContext {
  readonly clock: Timers;
  readonly identifiers: Identifiers;
  readonly settings: AgentSettings;
  readonly transactions: TransactionLayer;
  readonly transports: Transports;
  readonly dialogs: DialogStore;
  readonly apps: AppDirectory;
  readonly cdr: CdrWriter;
  /** Sends beside the transactions: an ACK, a 2xx again. */
  readonly send: (flow: Flow, text: string) => void;
  /**
   * Whether an address is ours, by what we listen at or by the name that we tell others.
   * @param transport - where it is known, as for `Transports.isLocal`
   */
  readonly isLocal: (host: string, port: number, transport?: TransportName) => boolean;
  /** Via value of our hop on a flow. */
  readonly viaOf: (flow: Flow, branch: string) => string;
  /** What `localhost` stands for in the messages of applications that take a flow. */
  readonly namesOf: (flow: Pick<Flow, 'transport' | 'local'>) => LocalAddress;
  /** Contact value of ours on a flow, in angle brackets. */
  readonly contactOf: (flow: Flow) => string;
  readonly received: (bytes: number, flow: Flow, atMs: number) => FrameMeta;
  readonly sent: (bytes: number, flow: Flow) => FrameMeta;
  /** Answers a command with `OK…` or `NOK…`. */
  readonly answer: (app: AppConnection, messageId: string, rest: string) => void;
  /** Hands a message to an application. */
  readonly deliver: (
    app: AppConnection,
    meta: FrameMeta,
    message: { readonly transactionId: string; readonly dialogId: string; readonly text: string },
  ) => void;
  readonly onRetransmission: () => void;
}
