import { type Dialog, requestTarget } from '../dialog/dialog.js';
import { composeRequest } from '../message/compose.js';
import type { Flow } from '../transport/flow.js';
import type { AgentContext } from './agent-context.js';
import { flowOfDialog, type NextHopFailure } from './next-hop.js';

/** What a request within a dialog carries beyond what the dialog knows. */
export interface DialogRequestParts {
  readonly method: string;
  /** Undefined takes the next number; an ACK has that of its INVITE. */
  readonly cseq?: number | undefined;
  readonly contact: string | undefined;
  readonly others: string;
  readonly contentType: string | undefined;
  readonly body: string;
  readonly maxForwards?: string | undefined;
}

/** A request that is written and knows its way. */
export interface ReadyRequest {
  readonly flow: Flow;
  readonly branch: string;
  readonly cseq: number;
  readonly requestUri: string;
  readonly routes: readonly string[];
  readonly text: string;
}

/** Writes a request within a dialog, as soon as its way is known. @see RFC 3261 section 12.2.1.1 */
export function prepareDialogRequest(
  context: AgentContext,
  dialog: Dialog,
  {
    parts,
    ready,
  }: { readonly parts: DialogRequestParts; readonly ready: (made: ReadyRequest | NextHopFailure) => void },
): void {
  const { requestUri, routes, nextHop } = requestTarget(dialog);
  if (requestUri === '') {
    ready('unroutable');
    return;
  }
  let { cseq } = parts;
  if (cseq === undefined) {
    dialog.localCseq += 1;
    cseq = dialog.localCseq;
  }
  flowOfDialog(context.transports, dialog, nextHop, (flow) => {
    if (typeof flow === 'string') {
      ready(flow);
      return;
    }
    const branch = context.identifiers.branch();
    const text = composeRequest({
      method: parts.method,
      requestUri,
      via: context.viaOf(flow, branch),
      routes,
      cseq,
      maxForwards: parts.maxForwards ?? MAX_FORWARDS,
      from: dialog.localParty,
      to: dialog.remoteParty,
      callId: dialog.callId,
      contact: parts.contact,
      others: parts.others,
      contentType: parts.contentType,
      body: parts.body,
    });
    ready({ flow, branch, cseq, requestUri, routes, text });
  });
}

/** @see RFC 3261 section 8.1.1.6 */
export const MAX_FORWARDS = '70';

/**
 * Ends a call in the server's own name: a BYE goes out, the application is told with a frame that nobody answers, and the
 * dialog is gone.
 * @param reason - text of the Reason header
 */
export function hangUp(context: AgentContext, dialog: Dialog, reason: string): void {
  context.dialogs.remove(dialog);
  prepareDialogRequest(context, dialog, {
    parts: byeParts(`Reason: SIP ;cause=200 ;text="${reason}"\r\n`),
    ready: (made) => {
      if (typeof made === 'string') return;
      tellUnsolicited(context, dialog, made);
      sendAlone(context, made);
    },
  });
}

/** Tells an application that a call is over which nobody else takes for one; only the application hears of that BYE. */
export function tellOver(context: AgentContext, dialog: Dialog, reason: string): void {
  prepareDialogRequest(context, dialog, {
    parts: byeParts(`Reason: SIP ;cause=200 ;text="${reason}"\r\n`),
    ready: (made) => {
      if (typeof made !== 'string') tellUnsolicited(context, dialog, made);
    },
  });
}

/** Ends a call of which no application knows. */
export function leave(context: AgentContext, dialog: Dialog): void {
  prepareDialogRequest(context, dialog, {
    parts: byeParts(''),
    ready: (made) => {
      if (typeof made !== 'string') sendAlone(context, made);
    },
  });
}

function byeParts(others: string): DialogRequestParts {
  return { method: 'BYE', contact: undefined, others, contentType: undefined, body: '' };
}

function tellUnsolicited(context: AgentContext, dialog: Dialog, { flow, text }: ReadyRequest): void {
  const meta = context.sent(text.length, flow);
  context.deliver(dialog.app, meta, { transactionId: 'unsolicited', dialogId: dialog.id, text });
}

/** Sends a BYE whose answer nobody waits for. */
function sendAlone(context: AgentContext, { flow, branch, text }: ReadyRequest): void {
  const user = { onResponse: () => undefined, onFailure: () => undefined, acknowledgement: () => '' };
  context.transactions.request({ branch, method: 'BYE', flow, text, user });
}
