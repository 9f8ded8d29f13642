/** The media type of a field `Content-Type`, lower-case, without parameters; empty where there is none. RFC 9110 section 8.3 */
export function mediaTypeOf(headers: Headers): string {
  return (headers.get('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}
