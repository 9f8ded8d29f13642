/** What is wrong with a request to the signing or verification service itself; what is wrong with a call is no problem but an answer. */
export interface StirApiProblem {
  /** HTTP status. */
  readonly status: number;
  /** Number of the exception, `SVC4001`. */
  readonly messageId: string;
  /** Text with `%1`, `%2` where the variables belong. */
  readonly text: string;
  readonly variables: readonly string[];
}

/** Every exception that there is. @see ATIS-1000082 (service and policy exceptions, by report: kept in this one table) */
const EXCEPTIONS = {
  'body-missing': { status: 400, messageId: 'SVC4000', text: 'Missing request body' },
  'parameter-missing': { status: 400, messageId: 'SVC4001', text: "Missing mandatory parameter '%1'" },
  'not-acceptable': { status: 406, messageId: 'SVC4002', text: "Requested response body type '%1' is not supported" },
  'not-found': { status: 404, messageId: 'SVC4003', text: 'Requested resource was not found' },
  'media-type': { status: 415, messageId: 'SVC4004', text: "Unsupported request body type, expected '%1'" },
  'parameter-invalid': { status: 400, messageId: 'SVC4005', text: "Invalid '%1' parameter value: %2" },
  'body-malformed': { status: 400, messageId: 'SVC4006', text: 'Failed to parse received message body: %1' },
  'body-length-missing': { status: 411, messageId: 'SVC4007', text: 'Missing mandatory Content-Length header' },
  'body-too-large': { status: 413, messageId: 'SVC4006', text: 'Failed to parse received message body: %1' },
  'method-not-allowed': { status: 405, messageId: 'POL4050', text: 'Method not allowed' },
  'not-authenticated': { status: 401, messageId: 'POL4010', text: 'A token is needed' },
  'too-many-requests': { status: 429, messageId: 'POL4290', text: 'Too many requests' },
  'not-signed': { status: 403, messageId: 'POL4030', text: 'The call is not signed: %1' },
  unavailable: { status: 503, messageId: 'POL5030', text: 'Service unavailable: %1' },
  internal: { status: 500, messageId: 'POL5000', text: 'Internal Server Error. Please try again later' },
} as const;

/** Name of an exception of the API. */
export type StirApiException = keyof typeof EXCEPTIONS;

/**
 * Makes a problem.
 * @param name - which exception
 * @param variables - what stands in its text for `%1` and `%2`; never a telephone number
 * @returns the problem
 */
export const stirApiProblem = (name: StirApiException, ...variables: readonly string[]): StirApiProblem => ({
  ...EXCEPTIONS[name],
  variables,
});

/**
 * The body of a problem, the same in both dialects: `requestError` with a `serviceException` for what a request did, a `policyException` for
 * what it met.
 * @param problem - from {@link stirApiProblem}
 * @returns JSON text
 * @see ATIS-1000082
 */
export function stirApiProblemBody({ messageId, text, variables }: StirApiProblem): string {
  const kind = messageId.startsWith('POL') ? 'policyException' : 'serviceException';
  return JSON.stringify({ requestError: { [kind]: { messageId, text, variables } } });
}

/** A problem as a sentence, its variables in their places. */
export const stirApiProblemText = ({ text, variables }: StirApiProblem): string =>
  text.replaceAll(/%([1-9])/g, (place, digit: string) => variables[Number(digit) - 1] ?? place);
