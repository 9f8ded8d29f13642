/** First value of FNV-1a of 32 bits. @see RFC 9923 */
const OFFSET_BASIS = 0x811c9dc5;
const PRIME = 0x01000193;

/**
 * What a name, number or identifier is looked up by: 32 bits of it, which a column of numbers holds in four octets and scans at
 * memory speed. Different texts may share one, so that whatever is found by it is compared in full afterwards. FNV-1a over UTF-16
 * code units. Never throws.
 * @returns 1 to 4,294,967,295; 0 stands for "none" in the columns
 */
export function lookupKey(text: string): number {
  let hash = OFFSET_BASIS;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), PRIME);
  return hash >>> 0 || 1;
}

/** As {@link lookupKey}, 0 where there is nothing. */
export function optionalKey(text: string | undefined): number {
  return text === undefined ? 0 : lookupKey(text);
}
