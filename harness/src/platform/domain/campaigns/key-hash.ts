/**
 * 52 bits of a text, evenly spread: for tables that count. Not for anything that has to withstand somebody who looks for two texts with
 * the same one. Never throws.
 */
export function keyHash(text: string): number {
  let first = 0x2545_f491;
  let second = 0x1656_67b1;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    first = Math.imul(first ^ code, 0x0100_0193);
    second = Math.imul(second + code, 0x9e37_79b1) ^ (second >>> 15);
  }
  return mixed(first ^ second) * 0x10_0000 + (mixed(second + 0x7f4a_7c15) >>> 12);
}

/** {@link keyHash} of three texts, each with a line feed behind it, without putting them together first. Never throws. */
export function keyHashOf(one: string, two: string, three: string): number {
  let first = 0x2545_f491;
  let second = 0x1656_67b1;
  for (let part = 0; part < 3; part += 1) {
    const text = part === 0 ? one : part === 1 ? two : three;
    for (let at = 0; at <= text.length; at += 1) {
      const code = at === text.length ? 0x0a : text.charCodeAt(at);
      first = Math.imul(first ^ code, 0x0100_0193);
      second = Math.imul(second + code, 0x9e37_79b1) ^ (second >>> 15);
    }
  }
  return mixed(first ^ second) * 0x10_0000 + (mixed(second + 0x7f4a_7c15) >>> 12);
}

/** 32 bits of a key, spread anew: for places in tables and sketches. Never throws. */
export function spread(key: number): number {
  return mixed((key >>> 0) ^ Math.imul(Math.trunc(key / 0x1_0000_0000), 0x85eb_ca6b));
}

/** Finishing steps of MurmurHash3. */
function mixed(word: number): number {
  let hash = word | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
