/**
 * Reads the frames that applications send: a decimal length, `#`, and so many octets.
 * The length has five digits at most, as drachtio-server reads it.
 */
export interface FrameReader {
  /**
   * Takes the next octets; never throws.
   * @param chunk - one character per octet
   * @returns the payloads that are complete now, or undefined when the stream cannot be read on
   */
  readonly push: (chunk: string) => readonly string[] | undefined;
}

/** Longest payload that five digits can announce, octets. */
export const MAX_FRAME_BYTES = 99_999;

/** Makes a reader for one connection. */
export function createFrameReader(): FrameReader {
  let pending = '';
  return {
    push: (chunk) => {
      const text = pending === '' ? chunk : pending + chunk;
      const frames: string[] = [];
      let at = 0;
      while (at < text.length) {
        const hash = text.indexOf('#', at);
        const digits = (hash < 0 ? text.length : hash) - at;
        if (digits > MAX_LENGTH_DIGITS || (hash >= 0 && digits === 0)) return undefined;
        const length = lengthOf(text, at, at + digits);
        if (length === undefined) return undefined;
        if (hash < 0 || text.length < hash + 1 + length) break;
        frames.push(text.slice(hash + 1, hash + 1 + length));
        at = hash + 1 + length;
      }
      pending = at === text.length ? '' : text.slice(at);
      return frames;
    },
  };
}

const MAX_LENGTH_DIGITS = 5;

function lengthOf(text: string, start: number, end: number): number | undefined {
  let length = 0;
  for (let at = start; at < end; at += 1) {
    const digit = text.charCodeAt(at) - 0x30;
    if (digit < 0 || digit > 9) return undefined;
    length = length * 10 + digit;
  }
  return length;
}
