// Written by `npm run contract`: what the docstrings of the interfaces say, by place. Change it there.

/** What members of bodies of access mean. */
export const ACCESS_DESCRIPTIONS: Readonly<Record<string, string>> = {
  'ProblemDetails/type': 'URI that names the kind of problem.',
  'ProblemDetails/title': 'The kind of problem in a few words.',
  'ProblemDetails/status': 'HTTP status.',
  'ProblemDetails/code': 'A `ProblemCode`, or one that a later release has added.',
  'ProblemDetails/detail': 'What was wrong this time, for people.',
  'ProblemDetails/instance': 'URI reference of this occurrence.',
  'ProblemDetails/httpRequestId':
    'What the platform calls this HTTP exchange in its logs; also in the field `Request-Id` of every response.',
  'ProblemDetails/errors/*/pointer': 'JSON Pointer into the body (RFC 6901), or the name of the parameter.',
  'ProblemDetails/errors/*/code': 'The rule that is broken, as a word.',
  'ProblemDetails/errors': 'Places that are not in the form of the contract.',
  ProblemDetails:
    'Why the platform did not do what was asked, `application/problem+json`. Holds no telephone numbers and no tokens.\n\nSee RFC 9457 section 3.1.',
  'TokenAnswer/token_type': '`Bearer`; compared without regard to case. RFC 6749 section 5.1',
  'TokenAnswer/expires_in': 'Seconds from when the answer was made.',
  'TokenAnswer/scope': 'Scopes that were granted, with a space between.',
  TokenAnswer: 'A token for calls to the platform.\n\nSee RFC 6749 section 5.1.',
  'TokenRefusal/error':
    '`invalid_client`, `invalid_request`, `invalid_scope`, `unauthorized_client`, `unsupported_grant_type` or one of a later release.',
  TokenRefusal:
    'Why there is no token: not a problem document, since every OAuth library reads this one.\n\nSee RFC 6749 section 5.2.',
  'TokenRequest/client_assertion':
    "Compact JWS whose `iss` and `sub` are the client id, and whose `aud` is the platform's token address.",
  'TokenRequest/scope': 'Scopes with a space between; all of the client where absent.',
  TokenRequest:
    'Form fields of a request for a token, `application/x-www-form-urlencoded`.\n\nSee RFC 6749 section 4.4.2, RFC 7523 section 2.2.',
};
