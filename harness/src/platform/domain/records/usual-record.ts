import { any, eachOf, finite, matching, oneOf, shape, shapeBy, text, whole } from './shape.js';
import type { Check } from './shape.js';

// The bounds are those of the contract's schema. What is said yes to here, that says yes to as well, and it leaves no member out: a
// property test holds the two against each other. A no here is no verdict: the schema has the last word, and says why.

const MAX_NAME_CHARS = 256;
const MAX_WORD_CHARS = 1_024;
const MAX_URL_CHARS = 2_048;
const MAX_STEPS = 256;
const MAX_PASSPORTS = 64;
const MAX_DESTINATIONS = 256;
const MAX_SIGNALS = 64;

const name = text(1, MAX_NAME_CHARS);
const word = text(0, MAX_WORD_CHARS);
const url = text(0, MAX_URL_CHARS);
const id32 = matching(/^[0-9a-f]{32}$/);
const sha256 = matching(/^[0-9a-f]{64}$/);
const tn = matching(/^[0-9*#]{1,32}$/);
const spc = matching(/^[0-9A-Z]{1,15}$/);
const fromZero = whole(0, Number.MAX_SAFE_INTEGER);
const attestation = oneOf('A', 'B', 'C');
const verstat = oneOf('TN-Validation-Passed', 'TN-Validation-Failed', 'No-TN-Validation');

const pseudonymous: Check = shape({ shown: oneOf('pseudonym'), pseudonym: id32 }, { npaNxx: matching(/^[0-9]{6}$/) });

const called = shapeBy('shown', {
  whole: shape({ shown: any, asWritten: name }, { tn, translatedTn: tn, lrn: tn, techPrefix: text(1, 32) }),
  pseudonym: pseudonymous,
});

const calling = shapeBy('shown', {
  whole: shape({ shown: any, asWritten: name }, { tn }),
  number: shape({ shown: any, tn }, {}),
  pseudonym: pseudonymous,
  'no-number': shape({ shown: any, isAnonymous: (value) => typeof value === 'boolean' }, {}),
});

const exceptionNames = { step: word, result: oneOf('failed', 'unknown', 'noted'), reason: word };
const compared: Check = (value) => url(value) || finite(value);

const passportFacts = {
  needed: {
    index: fromZero,
    status: oneOf('passed', 'failed', 'indeterminate', 'ignored'),
    passed: eachOf(word, MAX_STEPS),
  },
  possible: {
    ppt: word,
    x5u: url,
    certificateSha256: sha256,
    trustAnchorSha256: sha256,
    spc: word,
    iatSeconds: finite,
    attestation,
    origId: word,
  },
};

const passport = shape(
  {
    ...passportFacts.needed,
    exceptions: eachOf(shape(exceptionNames, { expected: compared, actual: compared }), MAX_STEPS),
  },
  {
    ...passportFacts.possible,
    signingInputSha256: sha256,
    orig: word,
    dest: eachOf(word, MAX_DESTINATIONS),
    div: word,
  },
);

const sharedPassport = shape(
  { ...passportFacts.needed, exceptions: eachOf(shape(exceptionNames, {}), MAX_STEPS) },
  passportFacts.possible,
);

const evidenceFacts = {
  needed: {
    format: any,
    checkedAtMs: finite,
    profile: oneOf('shaken', 'rfc8224'),
    freshnessSeconds: finite,
    verstat,
  },
  possible: { trustStore: word, surplusHeaders: fromZero, seenCount: fromZero, firstSeenMs: finite },
};

const request = shape(
  {},
  {
    orig: word,
    origSource: oneOf('p-asserted-identity', 'from', 'given'),
    dest: word,
    destSource: oneOf('to', 'request-uri', 'given'),
    target: word,
    dateSeconds: finite,
  },
);

const evidence = shapeBy('format', {
  'hopback.verdict-evidence.1': shape(
    { ...evidenceFacts.needed, request, passports: eachOf(passport, MAX_PASSPORTS) },
    { ...evidenceFacts.possible, callKey: sha256 },
  ),
  'hopback.shared-evidence.1': shape(
    { ...evidenceFacts.needed, passports: eachOf(sharedPassport, MAX_PASSPORTS) },
    { ...evidenceFacts.possible, callKey: id32 },
  ),
});

const sharing = shape(
  { policyId: text(1, 128), form: oneOf('pseudonymous', 'full'), rotationId: text(1, 64) },
  {
    suspicion: shape(
      {
        score: (value) => typeof value === 'number' && value >= 0 && value <= 1,
        level: oneOf('none', 'watch', 'suspicious'),
        signals: eachOf(text(1, 64), MAX_SIGNALS),
      },
      {},
    ),
  },
);

const recordFormat = oneOf(
  ...['asterisk-cdr', 'asterisk-cel', 'freeswitch-csv', 'freeswitch-json', 'kamailio-acc', 'oracle-sbc'],
  ...['ribbon-act', 'broadworks', 'hep', 'columns', 'hopback'],
);

const side = shape({}, { trunk: name, provider: name, address: name, callId: name });

/**
 * Whether a value is a shared record in the form of the contract, without a member that the contract does not know: said of nearly all
 * that carriers send in a tenth of the time that the schema takes. Never throws for peer input.
 * @param value - what JSON was parsed to
 * @returns true where the schema would take it and leave nothing out; false says nothing, and the schema is asked
 */
export const isUsualRecord: Check = shape(
  {
    format: oneOf('hopback.shared-record.1'),
    recordId: id32,
    sharing,
    source: shape({ format: recordFormat, readerVersion: fromZero }, { id: text(1, 128), sha256 }),
    callGroupId: name,
    inviteAtUs: fromZero,
    time: shape(
      { written: oneOf('utc', 'local', 'observed'), resolutionUs: whole(1, Number.MAX_SAFE_INTEGER) },
      { zone: text(0, 64), otherInviteAtUs: fromZero },
    ),
    ingress: side,
    egress: side,
    disposition: oneOf('answered', 'busy', 'no-answer', 'cancelled', 'rejected', 'failed', 'blocked'),
  },
  {
    legId: name,
    answeredAtUs: fromZero,
    endedAtUs: fromZero,
    calling,
    asserted: calling,
    called,
    release: shape(
      {},
      {
        sipStatus: whole(100, 699),
        q850Cause: whole(0, 127),
        cause: name,
        party: oneOf('calling', 'called', 'network'),
      },
    ),
    received: shape({}, { verstat, attestation, origId: name, iatSeconds: finite, spc, evidence }),
    signed: shape({ attestation }, { origId: name, basis: word }),
    blockedBy: name,
  },
);
