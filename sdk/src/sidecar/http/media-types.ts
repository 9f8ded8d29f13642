/** @param value - of Content-Type @returns the type without parameters, in lower case; empty where there is none */
export function mediaType(value: string | undefined): string {
  if (value === undefined || value === 'application/json') return value ?? '';
  const [type = ''] = value.split(';', 1);
  return type.trim().toLowerCase();
}

/** Whether a type is JSON, or a kind of it. @see RFC 6839 section 3.1 */
export const isJson = (type: string): boolean => type === 'application/json' || type.endsWith('+json');

/**
 * Whether a client takes a type.
 * @param accept - value of Accept; absent: whatever there is
 * @param type - `application/json`
 * @see RFC 9110 section 12.5.1
 */
export function accepts(accept: string | undefined, type: string): boolean {
  if (accept === undefined || accept === type || accept === '*/*' || accept.trim() === '') return true;
  const [main = ''] = type.split('/', 1);
  return accept.split(',').some((range) => {
    const [name = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    const isRefused = parameters.some((parameter) => /^q=0(?:\.0{0,3})?$/.test(parameter));
    return !isRefused && (name === type || name === '*/*' || name === `${main}/*`);
  });
}
