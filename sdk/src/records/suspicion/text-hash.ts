/**
 * 32 bits of a text, evenly spread: FNV-1a, then the finishing steps of MurmurHash3. For counting; an adversary can make two texts
 * collide. Never throws.
 */
export function hashText(text: string): number {
  let hash = 0x811c_9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x0100_0193);
  return finish(hash);
}

function finish(word: number): number {
  let hash = word;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** 32 bits of a whole number up to 2^53. Never throws. */
export function hashNumber(value: number): number {
  const high = Math.trunc(value / 0x1_0000_0000);
  return finish((value >>> 0) ^ Math.imul(high, 0x9e37_79b1));
}

/** 52 bits of a text: two sums over it, so that hardly any two of a million texts share them. Never throws. */
export function hashText52(text: string): number {
  let first = 0x811c_9dc5;
  let second = 0x9e37_79b1;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    first = Math.imul(first ^ code, 0x0100_0193);
    second = Math.imul(second ^ code, 0x85eb_ca6b);
  }
  return (finish(first ^ (second >>> 15)) >>> 12) * 0x1_0000_0000 + finish(second ^ (first >>> 13));
}
