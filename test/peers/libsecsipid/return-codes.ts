/** What libsecsipid's functions return, by the names their source gives them. 0 is success. */
export const LIBSECSIPID_CODES = {
  ok: 0,
  error: -1,
  certificateInvalid: -101,
  certificateFormat: -102,
  certificateExpired: -103,
  certificateNotYetValid: -104,
  certificateProcessing: -105,
  noCaFile: -106,
  caFileUnreadable: -107,
  noIntermediateFile: -108,
  intermediateFileUnreadable: -109,
  noCrlFile: -110,
  crlFileUnreadable: -111,
  certificateRevoked: -112,
  certificateNotEc: -114,
  privateKeyInvalid: -151,
  privateKeyFormat: -152,
  headerParse: -201,
  headerAlg: -202,
  headerPpt: -203,
  headerTyp: -204,
  headerX5u: -205,
  payloadParse: -231,
  iatExpired: -232,
  signatureInvalid: -251,
  signatureHashing: -252,
  signatureSize: -253,
  signatureFailure: -254,
  signatureBase64: -255,
  parameterParse: -301,
  parameterAlg: -302,
  parameterPpt: -303,
  identityEmpty: -304,
  parameterInfo: -305,
  urlInvalid: -401,
  httpGet: -402,
  httpStatus: -403,
  httpBody: -404,
  fileUnreadable: -451,
} as const;

/** One of libsecsipid's return codes. */
export type LibsecsipidCode = (typeof LIBSECSIPID_CODES)[keyof typeof LIBSECSIPID_CODES];

/**
 * The library's code behind an exit status of `secsipidx`, which passes the code to exit() and so keeps its low eight
 * bits only. No two known codes share them. `undefined` for a status that is none of them.
 */
export function codeOfExitStatus(status: number): LibsecsipidCode | undefined {
  return Object.values(LIBSECSIPID_CODES).find((code) => (code & 0xff) === status);
}
