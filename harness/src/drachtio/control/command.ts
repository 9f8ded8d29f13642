/** What an application asks for, by one frame. Texts hold one character per octet. */
export type AppCommand =
  | {
      readonly kind: 'authenticate';
      readonly messageId: string;
      readonly secret: string;
      readonly tags: readonly string[];
    }
  | {
      readonly kind: 'route';
      readonly messageId: string;
      readonly verb: string;
    }
  | { readonly kind: 'remove-route'; readonly messageId: string }
  | { readonly kind: 'ping'; readonly messageId: string }
  | SipCommand
  | ProxyCommand
  /** Cannot be understood; `answer` says why, and the connection is closed behind it. */
  | {
      readonly kind: 'invalid';
      readonly messageId: string;
      readonly answer: string;
    };

/** A SIP message to be sent: a response, a CANCEL, a request within or outside a dialog. */
export interface SipCommand {
  readonly kind: 'sip';
  readonly messageId: string;
  /** Empty where the message belongs to no transaction yet. */
  readonly transactionId: string;
  /** Empty outside a dialog. */
  readonly dialogId: string;
  /** Next hop in place of the Request-URI's; empty where there is none. */
  readonly routeUrl: string;
  readonly text: string;
}

/** An INVITE or other request to be proxied. */
export interface ProxyCommand {
  readonly kind: 'proxy';
  readonly messageId: string;
  readonly transactionId: string;
  readonly staysInDialog: boolean;
  readonly wantsResponses: boolean;
  readonly followsRedirects: boolean;
  readonly isSimultaneous: boolean;
  /** Time for the first response of a target, milliseconds; undefined for no limit of its own. */
  readonly provisionalTimeoutMs: number | undefined;
  /** Time for the final response of a target, milliseconds; undefined for no limit of its own. */
  readonly finalTimeoutMs: number | undefined;
  readonly destinations: readonly string[];
  /** Start line and the header fields to add. */
  readonly text: string;
}

/** Reads the payload of one frame. Never throws. */
export function parseCommand(payload: string): AppCommand {
  const lineEnd = payload.indexOf('\r\n');
  const line = lineEnd < 0 ? payload : payload.slice(0, lineEnd);
  const text = lineEnd < 0 ? '' : payload.slice(lineEnd + 2);
  const tokens = line.split('|');
  const [messageId = '', type] = tokens;
  if (type === undefined) return { kind: 'invalid', messageId, answer: 'Invalid message format' };
  switch (type) {
    case 'sip':
      return sipCommand(tokens, text);
    case 'proxy':
      return proxyCommand(tokens, text);
    case 'authenticate':
      return {
        kind: 'authenticate',
        messageId,
        secret: tokens[2] ?? '',
        tags: tagsOf(tokens[3]),
      };
    case 'route':
      return { kind: 'route', messageId, verb: tokens[2] ?? '' };
    case 'remove_route':
      return { kind: 'remove-route', messageId };
    case 'ping':
      return { kind: 'ping', messageId };
    default:
      return { kind: 'invalid', messageId, answer: 'Unknown message type' };
  }
}

function sipCommand(tokens: readonly string[], text: string): AppCommand {
  const [messageId = '', , transactionId = '', dialogId = '', routeUrl = ''] = tokens;
  if (transactionId === '' && text.startsWith('SIP/2.0')) {
    return { kind: 'invalid', messageId, answer: 'transaction id missing' };
  }
  return {
    kind: 'sip',
    messageId,
    transactionId,
    dialogId,
    routeUrl,
    text,
  };
}

function proxyCommand(tokens: readonly string[], text: string): AppCommand {
  const [messageId = '', , transactionId = '', remain, full, follow, forking, provisional = '', final = ''] = tokens;
  const destinations = tokens.slice(9).filter((destination) => destination !== '');
  if (destinations.length === 0) {
    return { kind: 'invalid', messageId, answer: 'Invalid proxy request: not enough information provided' };
  }
  return {
    kind: 'proxy',
    messageId,
    transactionId,
    staysInDialog: remain === 'remainInDialog',
    wantsResponses: full === 'fullResponse',
    followsRedirects: follow === 'followRedirects',
    isSimultaneous: forking === 'simultaneous',
    provisionalTimeoutMs: durationMs(provisional),
    finalTimeoutMs: durationMs(final),
    destinations,
    text,
  };
}

function tagsOf(list: string | undefined): readonly string[] {
  return (list ?? '').split(',').filter((tag) => tag !== '');
}

/** `2s` or `1500ms`; what cannot be read is no limit, as in drachtio-server. */
function durationMs(text: string): number | undefined {
  const read = /^(\d{1,7})(ms|s)$/.exec(text);
  return read === null ? undefined : Number(read[1]) * (read[2] === 's' ? 1_000 : 1);
}
