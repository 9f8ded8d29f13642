import { HopbackError } from '@hopback/sdk/errors';
import type { Core, UserAgent } from 'sip.js';
import { deferred, type Deferred } from './deferred.js';
import type { Registration } from './granted-registration.js';
import type { PhoneSettings } from './phone-settings.js';

/** The registration of one phone. */
export interface PhoneRegistration {
  /** @throws HopbackError as {@link Phone.register} */
  readonly register: () => Promise<Registration>;
  readonly unregister: () => Promise<void>;
  readonly isRegistered: () => boolean;
  /** The connection is gone: what was asked is not answered any more. Returns whether the phone was registered. */
  readonly lost: (why: HopbackError) => boolean;
}

/** When a registration is renewed, of the time that was granted: early enough for an answer, and a second try by hand. */
const RENEWAL_SHARE = 0.9;

/** Longest lifetime that is believed: a day, which also keeps the timer within Node's. */
const MAX_GRANTED_SECONDS = 86_400;

/**
 * Registers by requests of its own: the registerer of sip.js starts anew at once, and again and again, where a registrar leaves
 * `expires` out of Contact, and never ends where it leaves Contact out.
 * @param userAgent - the one in use, or an error where there is none
 * @see RFC 3261 section 10.2
 */
export function createRegistration(settings: PhoneSettings, userAgent: () => UserAgent): PhoneRegistration {
  const { clock, tell, registrationSeconds } = settings;
  let series: { readonly agent: UserAgent; readonly callId: string; readonly cseq: number } | undefined;
  let isRegistered = false;
  let cancelRenewal: (() => void) | undefined;
  let pending: Deferred<Core.IncomingResponseMessage> | undefined;
  let last: Promise<unknown> = Promise.resolve();

  const stopRenewal = (): void => {
    cancelRenewal?.();
    cancelRenewal = undefined;
  };
  const request = async (seconds: number): Promise<Registration> => {
    const agent = userAgent();
    const contactUri = agent.contact.uri.toString();
    const before = series?.agent === agent ? series : { callId: '', cseq: 0 };
    const message = agent.userAgentCore.makeOutgoingRequestMessage(
      'REGISTER',
      settings.registrar,
      settings.address,
      settings.address,
      { callId: before.callId, cseq: before.cseq + 1 },
      [`Contact: <${contactUri}>;expires=${seconds}`, `Expires: ${seconds}`],
    );
    const answer = deferred<Core.IncomingResponseMessage>();
    pending = answer;
    const onFinal = (response: Core.IncomingResponse): void => answer.resolve(response.message);
    agent.userAgentCore.register(message, { onAccept: onFinal, onReject: onFinal, onRedirect: onFinal });
    const response = await answer.promise.finally(() => {
      pending = undefined;
      // Counted up by sip.js where it answered a challenge.
      series = { agent, callId: message.callId, cseq: message.cseq };
    });
    const status = response.statusCode ?? 0;
    if (status >= 300) throw refused(response);
    return { contactUri, expiresSeconds: grantedSeconds(response, contactUri) ?? seconds };
  };
  /** A second request has to wait for the answer to the first. @see RFC 3261 section 10.2 */
  const inTurn = <T>(task: () => Promise<T>): Promise<T> => {
    const run = last.then(() => task());
    last = run.catch(() => undefined);
    return run;
  };
  const failed = (cause: unknown): void => {
    if (isRegistered) stopRenewal();
    isRegistered = false;
    const status = cause instanceof HopbackError ? cause.details['status'] : undefined;
    tell({ event: 'registration-failed', cause, ...(typeof status === 'number' ? { status } : undefined) });
  };
  const register = async (): Promise<Registration> => {
    stopRenewal();
    try {
      const granted = await request(registrationSeconds);
      isRegistered = true;
      const renewMs = granted.expiresSeconds * 1_000 * RENEWAL_SHARE;
      cancelRenewal = clock.schedule(() => {
        inTurn(register).catch(() => undefined);
      }, renewMs);
      tell({ event: 'registered' });
      return granted;
    } catch (cause) {
      failed(cause);
      throw cause;
    }
  };

  return {
    register: () => inTurn(register),
    unregister: () =>
      inTurn(async () => {
        if (!isRegistered) return;
        stopRenewal();
        isRegistered = false;
        await request(0);
        tell({ event: 'unregistered' });
      }),
    isRegistered: () => isRegistered,
    lost: (why) => {
      const wasRegistered = isRegistered;
      isRegistered = false;
      stopRenewal();
      pending?.reject(why);
      return wasRegistered;
    },
  };
}

/** Seconds that the registrar grants the contact: by its Contact, else by Expires; undefined where it says neither. */
function grantedSeconds(response: Core.IncomingResponseMessage, contactUri: string): number | undefined {
  const own = response.getHeaders('contact').find((contact) => contact.includes(`<${contactUri}>`));
  const ofContact = own === undefined ? undefined : /;\s?expires\s?=\s?"?(\d{1,10})/i.exec(own)?.[1];
  const text = ofContact ?? /^\d{1,10}$/.exec(response.getHeader('expires') ?? '')?.[0];
  return text === undefined ? undefined : Math.min(Math.max(Number(text), 1), MAX_GRANTED_SECONDS);
}

function refused(response: Core.IncomingResponseMessage): HopbackError {
  const { statusCode = 0, reasonPhrase = '' } = response;
  const details = { status: statusCode };
  // sip.js makes up a response where none came: it has no text.
  if ((response.data as string | undefined) === undefined) {
    return new HopbackError('network-failed', 'the registrar did not answer', { retryable: true, details });
  }
  const message = `the registrar answered ${statusCode} ${reasonPhrase}`;
  return new HopbackError('unavailable', message, { retryable: statusCode >= 500, details });
}
