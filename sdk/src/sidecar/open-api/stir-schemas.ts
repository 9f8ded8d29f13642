/** A JSON Schema as OpenAPI 3.1 has it. */
export type Schema = Readonly<Record<string, unknown>>;

const text = (description: string, more: Schema = {}): Schema => ({ type: 'string', description, ...more });
const seconds = (description: string): Schema => ({ type: 'integer', minimum: 0, description });
const list = (items: Schema): Schema => ({ type: 'array', items });
const reference = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` });
const object = (properties: Readonly<Record<string, Schema>>, required: readonly string[] = []): Schema => ({
  type: 'object',
  properties,
  ...(required.length > 0 && { required }),
});

const oneOrMore = (description: string): Schema => ({
  description,
  oneOf: [{ type: 'string' }, list({ type: 'string' })],
});

const VERSTAT = text('What the callee is told; with `answers.verstatSuffix` followed by the attestation.', {
  pattern: '^(TN-Validation-Passed|TN-Validation-Failed|No-TN-Validation)(-[ABC])?$',
});
const CODE: Schema = {
  type: 'integer',
  enum: [403, 428, 436, 437, 438],
  description: 'SIP response code of RFC 8224 section 6.2.2: a number, and absent where there is nothing to reproach.',
};

const verifyResult = object(
  {
    ppt: text('PASSporT type; empty where it could not be read.'),
    status: { enum: ['pass', 'fail', 'ignored'], description: '`ignored`: a type that is not verified here.' },
    reasonCode: CODE,
    reasonText: text('Phrase of the code.'),
    reasonDescription: text('What was found, in a sentence.'),
    validClaims: { type: 'object', description: 'Claims of a PASSporT that passed.' },
    passport: text('The PASSporT that did not pass.'),
  },
  ['ppt', 'status'],
);

/** Bodies of the API by name. @see ATIS-1000082, 3GPP TS 24.229 annex V */
export const STIR_SCHEMAS: Readonly<Record<string, Schema>> = {
  Party: object({ tn: text('Telephone number in canonical form.'), uri: text('SIP URI, where there is no number.') }),
  Parties: object({ tn: oneOrMore('Telephone numbers in canonical form.'), uri: oneOrMore('SIP URIs.') }),
  SigningRequest: object(
    {
      signingRequest: object(
        {
          attest: { enum: ['A', 'B', 'C'], description: 'Absent: the attestation policy decides.' },
          orig: reference('Party'),
          dest: reference('Parties'),
          iat: seconds('Now, seconds since the epoch. Without it the request is a heartbeat.'),
          origid: text('UUID; absent: a new one.'),
          div: reference('Party'),
          identityHeader: text('With div: what the request is signed with already.'),
          identityHeaders: list({ type: 'string' }),
        },
        ['orig', 'dest'],
      ),
    },
    ['signingRequest'],
  ),
  SigningResponse: object(
    {
      signingResponse: object({
        identity: text('Value of the Identity header field, ATIS-1000082; empty for a heartbeat.'),
        identityHeader: text('The same in the dialect of TS 24.229.'),
      }),
    },
    ['signingResponse'],
  ),
  VerificationRequest: object(
    {
      verificationRequest: object(
        {
          from: reference('Party'),
          to: reference('Parties'),
          time: seconds('Date of the INVITE, seconds since the epoch.'),
          identity: oneOrMore('Identity header field, ATIS-1000082. Without any the request is a heartbeat.'),
          identityHeader: text('The same in the dialect of TS 24.229.'),
          identityHeaders: list({ type: 'string' }),
          dest: reference('Party'),
          protectedHeaders: { description: 'Not looked at: types that protect header fields are ignored.' },
          requestId: text('Given back in the answer of the TS 24.229 dialect.'),
        },
        ['from', 'to'],
      ),
    },
    ['verificationRequest'],
  ),
  VerificationResponse: object(
    {
      verificationResponse: {
        oneOf: [
          object(
            {
              verstat: VERSTAT,
              reasoncode: CODE,
              reasontext: text('Phrase of the code.'),
              reasondesc: text('What was found, in a sentence.'),
              reasonCode: CODE,
              reasonText: text('Phrase of the code.'),
              reasonDesc: text('What was found, in a sentence.'),
              attest: { enum: ['A', 'B', 'C'] },
              origid: text('Of the shaken PASSporT that passed.'),
            },
            ['verstat'],
          ),
          object(
            {
              verstatValue: VERSTAT,
              verifyResults: list(object({ verifyResult }, ['verifyResult'])),
              divResult: list(object({ div: reference('Party'), verstatValue: VERSTAT }, ['div', 'verstatValue'])),
              requestId: text('As it was sent.'),
            },
            ['verstatValue', 'verifyResults'],
          ),
        ],
      },
    },
    ['verificationResponse'],
  ),
  InviteVerification: object(
    {
      action: { enum: ['continue', 'reject'], description: 'What policy says of the call.' },
      status: { type: 'integer', description: 'SIP response to reject it with.' },
      reasonPhrase: text('Phrase of that response.'),
      because: text('The concern that it is rejected for.'),
      verstat: VERSTAT,
      attestation: { enum: ['A', 'B', 'C'] },
      origId: text('Of the shaken PASSporT that passed.'),
      spc: text('Service provider code of the signer.'),
      caller: object({ name: { enum: ['P-Asserted-Identity', 'From'] }, value: { type: 'string' } }, ['name', 'value']),
      reasonHeaders: list(text('Value of a Reason header field, for the next response but 100.')),
      concerns: list({ type: 'string' }),
      reasons: list({ type: 'string' }),
    },
    ['action', 'verstat', 'reasonHeaders', 'concerns', 'reasons'],
  ),
  InviteSigning: object(
    {
      isSigned: { type: 'boolean' },
      identity: list(text('Value of an Identity header field to add.')),
      date: text('Value of the Date header field that the request must get.'),
      reason: text('Why it was not signed.'),
    },
    ['isSigned', 'identity'],
  ),
  Readiness: object(
    {
      isReady: { type: 'boolean' },
      trust: { type: 'string' },
      signing: { type: 'string' },
      isDraining: { type: 'boolean' },
    },
    ['isReady', 'trust', 'signing', 'isDraining'],
  ),
  RequestError: object(
    {
      requestError: {
        oneOf: ['serviceException', 'policyException'].map((name) =>
          object({ [name]: reference('Exception') }, [name]),
        ),
      },
    },
    ['requestError'],
  ),
  Exception: object(
    {
      messageId: text('SVC4000 to SVC4007, or POL and a number.', { pattern: '^(SVC|POL)[0-9]{4}$' }),
      text: text('With %1, %2 for the variables.'),
      variables: list({ type: 'string' }),
    },
    ['messageId', 'text', 'variables'],
  ),
};
