import { decodePercent } from './percent-encoding.js';

/** Parameters by name in lower case; `true` where a parameter has no `=`. */
export type SipParameters = ReadonlyMap<string, string | true>;

/** Why parameters could not be read. */
export type ParameterFailure = 'bad-parameter' | 'bad-escape' | 'duplicate-parameter' | 'too-many-parameters';

/** No parameters: the usual case, which then costs nothing. */
export const EMPTY_PARAMETERS: SipParameters = new Map<string, string | true>();

/** Most parameters in one place. Real URIs and headers carry fewer than ten; a bound keeps hostile ones cheap. */
export const MAX_PARAMETERS = 64;

/**
 * Reads URI parameters from `start`, where the first `;` is, to `end`. Empty ones (`;;`) are passed over. A name given twice
 * is refused, since readers differ on which one counts. Never throws for peer input.
 * @see RFC 3261 section 19.1.1
 */
export function readParameters(text: string, start: number, end: number): SipParameters | ParameterFailure {
  const parameters = new Map<string, string | true>();
  let at = start + 1;
  while (at <= end) {
    const semicolon = text.indexOf(';', at);
    const stop = semicolon < 0 || semicolon > end ? end : semicolon;
    if (stop > at) {
      const failure = addParameter(parameters, text.slice(at, stop));
      if (failure !== undefined) return failure;
    }
    at = stop + 1;
  }
  return parameters;
}

function addParameter(parameters: Map<string, string | true>, parameter: string): ParameterFailure | undefined {
  const equals = parameter.indexOf('=');
  const name = decodePercent(equals < 0 ? parameter : parameter.slice(0, equals))?.toLowerCase();
  const value = equals < 0 ? true : decodePercent(parameter.slice(equals + 1));
  if (name === undefined || value === undefined) return 'bad-escape';
  if (name === '') return 'bad-parameter';
  if (parameters.has(name)) return 'duplicate-parameter';
  if (parameters.size === MAX_PARAMETERS) return 'too-many-parameters';
  parameters.set(name, value);
  return undefined;
}
