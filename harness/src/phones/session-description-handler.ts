import type { SessionDescriptionHandler } from 'sip.js';
import { sessionDescription } from './session-description.js';

const CONTENT_TYPE = 'application/sdp';

/** What stands in sip.js where a browser has its media: descriptions are exchanged as the protocol wants it, no sound is. */
export function createSessionDescriptionHandler(): SessionDescriptionHandler {
  let version = 0;
  let remote: string | undefined;
  return {
    close: () => undefined,
    getDescription: () => {
      version += 1;
      return Promise.resolve({ body: sessionDescription(version, remote), contentType: CONTENT_TYPE });
    },
    hasDescription: (contentType) => contentType.toLowerCase().split(';')[0]?.trim() === CONTENT_TYPE,
    setDescription: (sdp) => {
      remote = sdp;
      return Promise.resolve();
    },
    sendDtmf: () => false,
  };
}
