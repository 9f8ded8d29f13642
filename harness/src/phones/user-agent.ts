import { UserAgent } from 'sip.js';
import type { Invitation } from 'sip.js';
import { headerTexts, secondWord } from './header-text.js';
import type { PhoneSettings } from './phone-settings.js';
import { createSessionDescriptionHandler } from './session-description-handler.js';
import { WebSocketTransport, type WebSocketTransportOptions } from './web-socket-transport.js';

/** What a user agent reports. */
export interface UserAgentUser {
  readonly onInvite: (invitation: Invitation) => void;
  /** A provisional response to an INVITE of this phone, other than 100. */
  readonly onProgress: (callId: string) => void;
  /** The connection broke; not when it was ended from here. */
  readonly onLost: (cause: Error) => void;
  readonly onMessageFault: (cause: unknown) => void;
}

/**
 * sip.js would answer every call that rings for a minute with 480, by Node's clock. How long it rings is the caller's business and
 * the policy's; this is 23 days in seconds, nearly the longest that its timer takes.
 */
const NO_ANSWER_SECONDS = 2_000_000;

/** Makes a user agent of sip.js that is silent, has no media and serves one connection. */
export function createUserAgent(settings: PhoneSettings, user: UserAgentUser): UserAgent {
  const { address, number, displayName, credentials, server } = settings;
  const transportOptions: WebSocketTransportOptions = {
    server,
    onMessageFault: user.onMessageFault,
    onText: (text) => {
      const callId = progressOf(text);
      if (callId !== undefined) user.onProgress(callId);
    },
  };
  return new UserAgent({
    uri: address,
    // sip.js takes requests for the user of its address and for that of its contact: one of them is the number with +.
    contactName: number.startsWith('+') ? number.slice(1) : `+${number}`,
    ...(displayName === undefined ? undefined : { displayName }),
    ...(credentials === undefined
      ? undefined
      : { authorizationUsername: credentials.username, authorizationPassword: credentials.password }),
    delegate: {
      onInvite: user.onInvite,
      onDisconnect: (cause) => {
        if (cause !== undefined) user.onLost(cause);
      },
    },
    gracefulShutdown: false,
    logBuiltinEnabled: false,
    logConfiguration: false,
    noAnswerTimeout: NO_ANSWER_SECONDS,
    sendInitialProvisionalResponse: false,
    sessionDescriptionHandlerFactory: createSessionDescriptionHandler,
    transportConstructor: WebSocketTransport,
    transportOptions,
    userAgentString: 'Hopback phone',
  });
}

/**
 * The Call-ID of a provisional response to an INVITE. sip.js keeps those to itself that have no Contact, which RFC 3261 section 12.1.1
 * asks for and drachtio does not write.
 */
function progressOf(text: string): string | undefined {
  if (!text.startsWith('SIP/2.0 1') || secondWord(text) === '100') return undefined;
  const [cseq = ''] = headerTexts(text, 'CSeq');
  return cseq.endsWith('INVITE') ? headerTexts(text, 'Call-ID', 'i')[0] : undefined;
}
