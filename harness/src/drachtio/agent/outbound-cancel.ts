import type { AppConnection } from '../control/app-connection.js';
import type { SipCommand } from '../control/command.js';
import { readAppMessage } from '../message/app-message.js';
import type { AgentContext } from './agent-context.js';
import { cancelOf } from './cancel-request.js';
import { TIMED_OUT, UNREACHABLE, type OutboundResponses, type OutboundState } from './outbound-responses.js';
import { refuse, tellSent, type OutgoingRequest } from './outgoing-request.js';

/** Cancels INVITEs of applications. */
export interface Canceller {
  /** An application cancels. */
  readonly cancel: (app: AppConnection, command: SipCommand) => void;
  /** The server cancels in its own name; nothing where that was done already. */
  readonly giveUp: (invite: OutgoingRequest) => void;
  /** The server cancels, and the application has its final response at once. */
  readonly fail: (invite: OutgoingRequest) => void;
  /** The call that a re-INVITE belongs to is over: what brings no final response now never will. */
  readonly abandon: (invite: OutgoingRequest) => void;
}

/** Makes one. */
export function createCanceller(context: AgentContext, state: OutboundState, responses: OutboundResponses): Canceller {
  const { clock, identifiers, transactions, settings } = context;

  const abandon = (invite: OutgoingRequest): void => {
    invite.cancelWait ??= clock.schedule(() => {
      invite.transaction?.end();
      responses.synthesise(invite, ...TIMED_OUT);
    }, 64 * settings.timers.t1Ms);
  };
  /** A CANCEL waits for a provisional response, and the INVITE is given up when it brings no final one. @see RFC 3261 section 9.1 */
  const begin = (invite: OutgoingRequest, text: string): void => {
    invite.isCancelled = true;
    const send = (): void => {
      const { branch, flow } = invite;
      const user = { onResponse: () => undefined, onFailure: () => undefined, acknowledgement: () => '' };
      transactions.request({ branch, method: 'CANCEL', flow, text, user });
      abandon(invite);
    };
    if (invite.hasProvisional) send();
    else invite.sendCancel = send;
  };
  const giveUp = (invite: OutgoingRequest): void => {
    if (!invite.isCancelled) begin(invite, cancelOf(context, invite, ''));
  };
  return {
    cancel: (app, command) => {
      const { transactionId } = command;
      const invite = state.outgoing.get(transactionId);
      const isTooLate = invite === undefined && isAnswered(state, transactionId);
      if (isTooLate || invite?.isCancelled === true) {
        refuse(context, app, command, `internal server error canceling transaction id: ${transactionId}`);
      } else if (invite === undefined || invite.method !== 'INVITE') {
        refuse(context, app, command, `unable to cancel unknown transaction id: ${transactionId}`);
      } else {
        const { flow } = invite;
        const read = readAppMessage(command.text, context.namesOf(flow));
        const text = cancelOf(context, invite, read?.headers.others ?? '');
        tellSent(context, app, command, { transactionId: identifiers.transactionId(), flow, text });
        begin(invite, text);
      }
    },
    giveUp,
    fail: (invite) => {
      giveUp(invite);
      responses.synthesise(invite, ...UNREACHABLE);
      // Whatever final response the CANCEL brings is acknowledged. Where it brings none, nothing is left either.
      clock.schedule(() => invite.transaction?.end(), 64 * settings.timers.t1Ms);
    },
    abandon,
  };
}

/** Whether an INVITE has been answered, and only its ACK is missing. */
function isAnswered({ unacknowledged }: OutboundState, transactionId: string): boolean {
  for (const invite of unacknowledged.values()) if (invite.transactionId === transactionId) return true;
  return false;
}
