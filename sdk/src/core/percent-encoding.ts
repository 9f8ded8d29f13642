/**
 * Undoes percent-encoding, or returns undefined where an escape is broken or what it encodes is not UTF-8.
 * Never throws for peer input.
 * @see RFC 3261 section 19.1.2, RFC 3986 section 2.1
 */
export function decodePercent(text: string): string | undefined {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/**
 * Whether a text consists of visible ASCII other than `<`, `>` and `"`: those end a URI where it is embedded in a header, so
 * that none can be part of one. Never throws for peer input.
 */
export function isUriText(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code <= 0x20 || code >= 0x7f || code === 0x3c || code === 0x3e || code === 0x22) return false;
  }
  return true;
}
