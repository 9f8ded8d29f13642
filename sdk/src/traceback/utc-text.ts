/** The whole seconds of what a date can hold. @see ECMA-262 section 21.4.1.1 */
const MOST_SECONDS = 8_640_000_000_000;

/**
 * An instant as answers write it: RFC 3339 in UTC, with as many decimals as there are. Never throws.
 * @param us - microseconds since the epoch
 * @returns `2026-11-02T12:00:00Z`, `2026-11-02T12:00:00.25Z`; beyond what dates hold, the last instant that they do
 */
export function utcText(us: number): string {
  const seconds = Math.min(Math.max(Math.floor(us / 1_000_000), -MOST_SECONDS), MOST_SECONDS);
  const decimals = String(Math.trunc(us - seconds * 1_000_000))
    .padStart(6, '0')
    .slice(0, 6)
    .replace(/0{1,6}$/, '');
  return `${new Date(seconds * 1_000).toISOString().replace(/\.\d{3}Z$/, '')}${decimals === '' ? '' : `.${decimals}`}Z`;
}
