import { encodeBase64Url } from '../../core/base64url.js';
import { canonicalJson } from '../passport.js';
import { divPayload } from '../passport-types/div.js';
import type { PassportParty } from '../passport-types/passport-type.js';
import type { ShakenClaims } from '../passport-types/shaken.js';
import type { DiversionClaims } from './attestation-record.js';

/**
 * The header segment of the PASSporTs that are signed under one certificate. It is the same for every call, so that it is made
 * once.
 * @param ppt - type of the PASSporT
 * @param x5u - where the certificate is published
 * @returns base64url
 * @see RFC 8225 section 4, RFC 8588 section 4, RFC 8946 section 3
 */
export function passportHeaderSegment(ppt: 'shaken' | 'div', x5u: string): string {
  return encodeBase64Url(canonicalJson({ alg: 'ES256', ppt, typ: 'passport', x5u }));
}

/**
 * The payload of a SHAKEN PASSporT as it is signed: what `canonicalJson(shakenPayload(claims))` gives, put together by hand since
 * this is done for every call.
 * @param claims - numbers in canonical form, which need no escaping in JSON
 * @returns canonical JSON
 * @see RFC 8588 section 6, RFC 8225 section 9
 */
export function shakenPayloadText(claims: ShakenClaims): string {
  const { attestation, destTn, destUri, iatSeconds, origTn, origId } = claims;
  const tn = destTn.length === 0 ? '' : `"tn":["${destTn.join('","')}"]`;
  const uri = destUri === undefined ? '' : `${tn === '' ? '' : ','}"uri":${JSON.stringify(destUri)}`;
  return `{"attest":"${attestation}","dest":{${tn}${uri}},"iat":${String(iatSeconds)},"orig":{"tn":"${origTn}"},"origid":${JSON.stringify(origId)}}`;
}

/**
 * The payload of a div PASSporT as it is signed.
 * @param claims - of the div
 * @returns canonical JSON
 * @see RFC 8946 section 3, RFC 8225 section 9
 */
export function divPayloadText(claims: DiversionClaims): string {
  const { orig, dest, divTn, iatSeconds } = claims;
  const payload = divPayload({ origTn: '', destTn: [], divTn, iatSeconds });
  return canonicalJson({ ...payload, orig: party(orig), dest: { [dest.kind]: [dest.value] } });
}

const party = (value: PassportParty): Readonly<Record<string, string>> => ({ [value.kind]: value.value });
