import { closeClaims, openClaims, readDest, readIat, readParty } from './passport-type.js';
import type { PassportType } from './passport-type.js';

/**
 * The PASSporT without extension: caller, called party and time, nothing more. The one type that the compact form can carry.
 * @see RFC 8225
 */
export const base: PassportType = {
  ppt: undefined,
  role: 'caller',
  compactForm: true,
  section: 'RFC 8225 section 5',
  readClaims(payload) {
    const reader = openClaims(payload, ['dest', 'iat', 'orig']);
    return closeClaims(reader, {
      iatSeconds: readIat(reader),
      orig: readParty(reader, 'orig'),
      dest: readDest(reader),
    });
  },
};
