import { hash } from 'node:crypto';
import { decodeBase64UrlText } from '../../core/base64url.js';
import type { EvidenceReference } from '../../core/traceback-request.js';
import { canonicalJson } from './canonical-json.js';
import type { EvidencePack } from './evidence-manifest.js';
import { wellFormed } from './well-formed.js';

/** The object that a compact JWS is over, without verifying it; undefined where there is none. Never throws. */
export function jwsPayload(jws: string): Readonly<Record<string, unknown>> | undefined {
  const [, payload, signature, ...more] = jws.split('.');
  if (payload === undefined || signature === undefined || more.length > 0) return undefined;
  try {
    const value: unknown = JSON.parse(decodeBase64UrlText(payload) ?? '');
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined;
  }
}

/** In what a signed answer is another than the pack was written for; undefined where it is that. Never throws. */
export function answerDifference(pack: EvidencePack, answerJws: string): string | undefined {
  const { manifest, manifestOctets, files } = pack;
  const payload = jwsPayload(answerJws);
  if (payload === undefined) return 'it is no JWS over an object';
  const { evidence, ...statement } = payload;
  const named = evidence as Partial<EvidenceReference> | undefined;
  if (named?.packId !== manifest.packId || named.manifestSha256 !== sha256(manifestOctets)) {
    return 'it names other evidence than this pack';
  }
  const kept = files.find(({ name }) => name === 'answer.json');
  if (kept === undefined || spelled(statement) === Buffer.from(kept.octets).toString('utf8')) return undefined;
  return 'it says something else than answer.json';
}

/** In what a receipt is of something else than the answer of the pack; undefined where it is of that. Never throws. */
export function receiptDifference({ manifest, answerJws }: EvidencePack, receiptJws: string): string | undefined {
  const payload = jwsPayload(receiptJws);
  if (payload === undefined) return 'it is no JWS over an object';
  if (payload['answerId'] !== manifest.answerId) return 'it is of another answer';
  if (answerJws === undefined) return 'there is no signed answer that it could be of';
  return payload['answerSha256'] === sha256(answerJws) ? undefined : 'it is of other bytes than answer.jws';
}

function spelled(value: unknown): string | undefined {
  try {
    // As the pack was made well-formed at its entrance.
    return canonicalJson(wellFormed(value).value);
  } catch {
    return undefined;
  }
}

function sha256(octets: Uint8Array | string): string {
  return hash('sha256', octets, 'hex');
}
