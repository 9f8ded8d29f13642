import { z } from 'zod';
import type { VerdictEvidence as StirEvidence } from '../core/verdict-evidence.js';
import type { BodyOf } from './common.js';
import {
  canonicalTn,
  count,
  listOf,
  MAX_URL_CHARS,
  microseconds,
  object,
  oneOf,
  optionalObject,
  optionalOneOf,
  pattern,
  sha256,
  spc,
} from './common.js';

/**
 * Octets of all raw rows of one record at most, 128 KiB: a captured call of a hundred packets, a FreeSWITCH document of twice the usual
 * size. A record of more is kept with the hash alone; part of its rows would prove nothing, since the hash is of all of them. As JSON, where
 * an octet takes six characters at most, they leave a line of 1 MiB room for the record itself.
 */
export const MAX_RAW_BYTES = 131_072;

/** Raw rows of one record at most: as many as a channel of Asterisk keeps hashes of. A record of more is kept with the hash alone. */
export const MAX_RAW_ROWS = 1_024;

// Bounds are those of the writers: names of the readers, headers of the SIP stack, steps of the verification. Unknown members are left
// out, so that a later release may add some.

/** Longest word of the verification service: steps, reasons, values that it compares. */
const MAX_WORD_CHARS = 1_024;
/** Steps of a verification, with room for those to come. */
const MAX_STEPS = 256;
/** Identity headers that are looked at. */
const MAX_PASSPORTS = 64;
/** Called numbers in one PASSporT. */
const MAX_DESTINATIONS = 256;
/** Longest name of a leg, trunk, call, customer or rule, as the readers cut them. */
const MAX_NAME_CHARS = 256;
/** Characters of base64 for 131,072. */
const MAX_BASE64_CHARS = Math.ceil(MAX_RAW_BYTES / 3) * 4;
/** Signals that judge one call, with room for those to come. */
const MAX_SIGNALS = 64;

/** A word of the verification service or of a policy. */
const word = z.string().max(MAX_WORD_CHARS);
/** Name of a leg, trunk, call, customer or rule. */
export const name = z.string().min(1).max(MAX_NAME_CHARS);
/** Name of a switch or feed. */
const sourceId = z.string().min(1).max(128);
export const recordId = pattern(/^[0-9a-f]{32}$/).describe(
  'Id of the record, 32 lower-case hexadecimal digits. The same leg read again has the same id.',
);
/** @see ATIS-1000074 section 5.2.3 */
export const attestation = z
  .enum(['A', 'B', 'C'])
  .describe('Attestation level of a SHAKEN PASSporT: A full, B partial, C gateway.\n\nSee RFC 8588 section 4.');
export const verstat = z
  .enum(['TN-Validation-Passed', 'TN-Validation-Failed', 'No-TN-Validation'])
  .describe(
    'The `verstat` value that a verification service reports for a call.\n\nSee 3GPP TS 24.229 section 7.2A.20, ATIS-1000082.',
  );
const pseudonym = pattern(/^[0-9a-f]{32}$/).describe('The pseudonym, 32 lower-case hexadecimal digits.');
const origId = name.describe('`origid` of the PASSporT, a UUID.');
const iatSeconds = z.number().describe('`iat` of the PASSporT, seconds since the epoch.');
const checkedValue = z.union([z.string().max(MAX_URL_CHARS), z.number()]);

/** The part of a check that always leaves the carrier: everything but the compared values. */
const exceptionNames = {
  /** Name of the step. */
  step: word.describe('Name of the step.'),
  /** `failed`; `unknown`: could not be checked; `noted`: a deviation that policy lets pass. */
  result: z
    .enum(['failed', 'unknown', 'noted'])
    .describe('`failed`; `unknown`: could not be checked; `noted`: a deviation that policy lets pass.'),
  /** The failure reason or note. */
  reason: word.describe('The failure reason or note.'),
};

/** Members of a PASSporT's evidence without numbers and without anything that is derived from numbers. */
const passportFacts = {
  /** Place of the Identity header in the request, from 0. */
  index: count.describe('Place of the Identity header in the request, from 0.'),
  /** Type of the PASSporT: `shaken`, `div` and others; absent if it could not be read or has none. */
  ppt: word
    .exactOptional()
    .describe('Type of the PASSporT: `shaken`, `div` and others; absent if it could not be read or has none.'),
  /** What was found. `ignored`: a type that was not verified. */
  status: z
    .enum(['passed', 'failed', 'indeterminate', 'ignored'])
    .describe('What was found. `ignored`: a type that was not verified.'),
  /** URL of the certificate, as the Identity header gave it. */
  x5u: z
    .string()
    .max(MAX_URL_CHARS)
    .exactOptional()
    .describe('URL of the certificate, as the Identity header gave it.'),
  /** SHA-256 of the DER of the end-entity certificate, lower-case hex. */
  certificateSha256: sha256
    .exactOptional()
    .describe('SHA-256 of the DER of the end-entity certificate, lower-case hex.'),
  /** SHA-256 of the trust anchor that its path ends at, lower-case hex. */
  trustAnchorSha256: sha256
    .exactOptional()
    .describe('SHA-256 of the trust anchor that its path ends at, lower-case hex.'),
  /** Service Provider Code of the certificate, if it has exactly one. */
  spc: word.exactOptional().describe('Service Provider Code of the certificate, if it has exactly one.'),
  iatSeconds: iatSeconds.exactOptional(),
  attestation: attestation.exactOptional(),
  /** `origid` of the PASSporT, a UUID. */
  origId: word.exactOptional().describe('`origid` of the PASSporT, a UUID.'),
  /** Names of the steps that passed, in their order. Steps in neither list did not apply or were not reached. */
  passed: z
    .array(word)
    .max(MAX_STEPS)
    .describe(
      'Names of the steps that passed, in their order. Steps in neither list did not apply or were not reached.',
    ),
};

/** Members of evidence without numbers and without anything that is derived from numbers. */
const evidenceFacts = {
  /** When the verdict was given, milliseconds since the epoch, by the verifier's clock. */
  checkedAtMs: z
    .number()
    .describe("When the verdict was given, milliseconds since the epoch, by the verifier's clock."),
  /** Profile of the policy that judged the call. */
  profile: oneOf('Profile of the policy that judged the call.', ['shaken', 'rfc8224']),
  /** How old, or how far ahead, an `iat` may have been, seconds. */
  freshnessSeconds: z.number().describe('How old, or how far ahead, an `iat` may have been, seconds.'),
  /** Id of the trust store: the set of roots and CRLs that was used. */
  trustStore: word.exactOptional().describe('Id of the trust store: the set of roots and CRLs that was used.'),
  verstat,
  /** Number of further Identity headers that were not checked; absent if all were. */
  surplusHeaders: count
    .exactOptional()
    .describe('Number of further Identity headers that were not checked; absent if all were.'),
  /** How often this verifier has seen the call key, this time included; 1 for the first. */
  seenCount: count
    .exactOptional()
    .describe('How often this verifier has seen the call key, this time included; 1 for the first.'),
  /** When this verifier first saw the call key, milliseconds since the epoch. */
  firstSeenMs: z
    .number()
    .exactOptional()
    .describe('When this verifier first saw the call key, milliseconds since the epoch.'),
};

/** What a verification service looked at and found, as it is kept with a call record. */
export const VerdictEvidence: z.ZodType<StirEvidence> = object(
  'What a verification service looked at and found, complete enough for a traceback answer.',
  {
    /** Marks the form. */
    format: z.literal('hopback.verdict-evidence.1').describe('Marks the form.'),
    ...evidenceFacts,
    /** Values of the request that claims were compared with, in canonical form, and where they came from. */
    request: object(
      'Values of the request that claims were compared with, in canonical form, and where they came from.',
      {
        /** The calling number that was verified. */
        orig: word.exactOptional().describe('The calling number that was verified.'),
        /** Where in the request that number stood. */
        origSource: z
          .enum(['p-asserted-identity', 'from', 'given'])
          .exactOptional()
          .describe('Where in the request that number stood.'),
        /** The called number that was verified. */
        dest: word.exactOptional().describe('The called number that was verified.'),
        /** Where in the request that number stood. */
        destSource: optionalOneOf('Where in the request that number stood.', ['to', 'request-uri', 'given']),
        /** Number of the Request-URI, if it was given. */
        target: word.exactOptional().describe('Number of the Request-URI, if it was given.'),
        /** The Date header, seconds since the epoch. */
        dateSeconds: z.number().exactOptional().describe('The Date header, seconds since the epoch.'),
      },
    ),
    /** One entry for each Identity header that was checked, in the order of the request. */
    passports: listOf(
      'One entry for each Identity header that was checked, in the order of the request.',
      MAX_PASSPORTS,
      {
        ...passportFacts,
        /** SHA-256 of the signing input (header.payload), lower-case hex; never of the token. */
        signingInputSha256: sha256
          .exactOptional()
          .describe('SHA-256 of the signing input (header.payload), lower-case hex; never of the token.'),
        /** Who calls, as the PASSporT says. Like all its claims, believed only if `status` is `passed`. */
        orig: word
          .exactOptional()
          .describe('Who calls, as the PASSporT says. Like all its claims, believed only if `status` is `passed`.'),
        /** Who is called, as the PASSporT says. */
        dest: z.array(word).max(MAX_DESTINATIONS).exactOptional().describe('Who is called, as the PASSporT says.'),
        /** The diverting number of a div PASSporT. */
        div: word.exactOptional().describe('The diverting number of a div PASSporT.'),
        /** Steps that failed, could not be decided or left a note. */
        exceptions: listOf('Steps that failed, could not be decided or left a note.', MAX_STEPS, {
          ...exceptionNames,
          /** What the step asks for, or the value on the other side of the comparison. */
          expected: checkedValue
            .exactOptional()
            .describe('What the step asks for, or the value on the other side of the comparison.'),
          /** What it found. */
          actual: checkedValue.exactOptional().describe('What it found.'),
        }),
      },
    ),
    /** Same call, same key: SHA-256 of the signing input in its canonical spelling (RFC 8225 section 9), lower-case hex, so that a token spelled differently has the same key. */
    callKey: sha256
      .exactOptional()
      .describe(
        'Same call, same key: SHA-256 of the signing input in its canonical spelling (RFC 8225 section 9), lower-case hex, so that a token spelled differently has the same key.',
      ),
  },
);
export type VerdictEvidence = StirEvidence;

/** {@link VerdictEvidence} without numbers and without anything that is derived from numbers. */
export const SharedEvidence = object(
  'What a verification service found, without numbers and without anything that is derived from numbers.',
  {
    /** Marks the form. */
    format: z.literal('hopback.shared-evidence.1').describe('Marks the form.'),
    ...evidenceFacts,
    /** One entry for each Identity header that was checked, in the order of the request. */
    passports: listOf(
      'One entry for each Identity header that was checked, in the order of the request.',
      MAX_PASSPORTS,
      {
        ...passportFacts,
        /** Steps that failed, could not be decided or left a note. */
        exceptions: z
          .array(z.object(exceptionNames))
          .max(MAX_STEPS)
          .describe('Steps that failed, could not be decided or left a note.'),
      },
    ),
    /** Pseudonym of the call key: the same for the same PASSporT within a rotation id of the carrier. */
    callKey: pseudonym
      .exactOptional()
      .describe('Pseudonym of the call key: the same for the same PASSporT within a rotation id of the carrier.'),
  },
);
export type SharedEvidence = BodyOf<typeof SharedEvidence>;

/** A stretch of time for which a store holds everything that a source wrote. "Not found" may only be said inside it. */
export const CoverageInterval = z.object({
  /** Name of the source, as in `CallRecord.source.id`. */
  sourceId: sourceId.describe('Name of the source, as in `CallRecord.source.id`.'),
  /** First instant, microseconds since the epoch. */
  fromUs: microseconds.describe('First instant, microseconds since the epoch.'),
  /** Last instant, microseconds since the epoch. */
  toUs: microseconds.describe('Last instant, microseconds since the epoch.'),
});
export type CoverageInterval = BodyOf<typeof CoverageInterval>;

export const RecordFormat = z
  .enum([
    'asterisk-cdr',
    'asterisk-cel',
    'freeswitch-csv',
    'freeswitch-json',
    'kamailio-acc',
    'oracle-sbc',
    'ribbon-act',
    'broadworks',
    'hep',
    'columns',
    'hopback',
  ])
  .describe('Layout in which the switch writes its calls.');
/** Layouts in which switches write their calls, one reader each. */
export type RecordFormat = z.output<typeof RecordFormat>;

/** A row with both members is refused. */
export const RawRow = z.xor([
  z.object({ text: z.string().max(MAX_RAW_BYTES) }),
  z.object({ base64: z.base64().max(MAX_BASE64_CHARS) }),
]);
/**
 * One row, document or packet as it was found, without its line end: as text if its bytes are exactly the UTF-8 of that text, in base64
 * (RFC 4648 section 4) if they are not.
 */
export type RawRow = BodyOf<typeof RawRow>;

/** A number as it was written, and in canonical form. */
export const PartyNumber = z.object({
  /** As the switch wrote it, prefixes and all. */
  asWritten: name.describe('As the switch wrote it, prefixes and all.'),
  tn: canonicalTn.exactOptional(),
});
/** A telephone number or URI of a call in the forms that it had. */
export type PartyNumber = BodyOf<typeof PartyNumber>;

export const CalledNumber = PartyNumber.extend({
  /** Where the call was sent on to, if that is another number: a ported, forwarded or toll-free number. */
  translatedTn: canonicalTn
    .exactOptional()
    .describe('Where the call was sent on to, if that is another number: a ported, forwarded or toll-free number.'),
  /** Location routing number that came with the called number or in its place. */
  lrn: canonicalTn
    .exactOptional()
    .describe('Location routing number that came with the called number or in its place.'),
  /** Technical prefix before the number, such as `1234#`. */
  techPrefix: z
    .string()
    .min(1)
    .max(32)
    .exactOptional()
    .describe('Technical prefix before the number, such as `1234#`.'),
});
/** The called party, which the network may have translated. */
export type CalledNumber = BodyOf<typeof CalledNumber>;

export const HopSide = z.object({
  /** Name of the trunk, realm or peer, as the switch has it. */
  trunk: name.exactOptional().describe('Name of the trunk, realm or peer, as the switch has it.'),
  /** The provider on the other end, as the carrier declared it for the trunk or address. */
  provider: name
    .exactOptional()
    .describe('The provider on the other end, as the carrier declared it for the trunk or address.'),
  /** Signalling address of the other end, `192.0.2.1:5060` or `[2001:db8::1]:5060`; without a port if none is known. */
  address: name
    .exactOptional()
    .describe(
      'Signalling address of the other end, `192.0.2.1:5060` or `[2001:db8::1]:5060`; without a port if none is known.',
    ),
  /** SIP Call-ID on that side. */
  callId: name.exactOptional().describe('SIP Call-ID on that side.'),
});
/** Which side of a hop a call came by or left by. */
export type HopSide = BodyOf<typeof HopSide>;

export const Disposition = z
  .enum(['answered', 'busy', 'no-answer', 'cancelled', 'rejected', 'failed', 'blocked'])
  .describe('How the call went.');
/** How a call went. */
export type Disposition = z.output<typeof Disposition>;

export const Release = object('Why and by whom the call was ended.', {
  /** Final SIP status, if there was one. */
  sipStatus: z.int().min(100).max(699).exactOptional().describe('Final SIP status, if there was one.'),
  /** Q.850 cause. */
  q850Cause: z.int().min(0).max(127).exactOptional().describe('Q.850 cause.'),
  /** The switch's own word for it. */
  cause: name.exactOptional().describe("The switch's own word for it."),
  /** Who ended it, if the source says. */
  party: optionalOneOf('Who ended it, if the source says.', ['calling', 'called', 'network']),
});
/** Why and by whom a call was ended. */
export type Release = BodyOf<typeof Release>;

const verification = {
  verstat: verstat.exactOptional(),
  attestation: attestation.exactOptional(),
  origId: origId.exactOptional(),
  iatSeconds: iatSeconds.exactOptional(),
  spc: spc.exactOptional(),
};
export const ReceivedVerification = z.object({
  ...verification,
  /** The whole record of the verification, if our own service made it. */
  evidence: VerdictEvidence.exactOptional().describe(
    'The whole record of the verification, if our own service made it.',
  ),
});
/** What the signatures of a call were worth when it came in. */
export type ReceivedVerification = BodyOf<typeof ReceivedVerification>;

export const OwnSigning = z.object({
  attestation,
  origId: origId.exactOptional(),
  /** What the attestation rests on, in the words of the attestation policy. */
  basis: word.exactOptional().describe('What the attestation rests on, in the words of the attestation policy.'),
});
/** What the carrier itself signed. */
export type OwnSigning = BodyOf<typeof OwnSigning>;

export const TimeBasis = object('Where an instant was taken from, and how far it can be trusted.', {
  /** `utc`: written in UTC or with an offset; `local`: written in local time and brought to UTC by the declared zone; `observed`: the clock of the device that saw the call or its packets. */
  written: z
    .enum(['utc', 'local', 'observed'])
    .describe(
      '`utc`: written in UTC or with an offset; `local`: written in local time and brought to UTC by the declared zone; `observed`: the clock of the device that saw the call or its packets.',
    ),
  /** IANA name of the zone of a local time. */
  zone: z.string().max(64).exactOptional().describe('IANA name of the zone of a local time.'),
  /** Smallest step of the times of the source, microseconds: 1,000,000 if seconds are written. */
  resolutionUs: z
    .int()
    .min(1)
    .describe('Smallest step of the times of the source, microseconds: 1,000,000 if seconds are written.'),
  /** The other instant that the local time may mean, microseconds since the epoch: it was written in the hour that comes twice. */
  otherInviteAtUs: microseconds
    .exactOptional()
    .describe(
      'The other instant that the local time may mean, microseconds since the epoch: it was written in the hour that comes twice.',
    ),
});
/** Where an instant was taken from, and how far it can be trusted. */
export type TimeBasis = BodyOf<typeof TimeBasis>;

const callTimes = {
  /** When the INVITE arrived or the leg began, microseconds since the epoch. */
  inviteAtUs: microseconds.describe('When the INVITE arrived or the leg began, microseconds since the epoch.'),
  /** When it was answered, microseconds since the epoch; absent if nobody answered. */
  answeredAtUs: microseconds
    .exactOptional()
    .describe('When it was answered, microseconds since the epoch; absent if nobody answered.'),
  /** When it ended, microseconds since the epoch. */
  endedAtUs: microseconds.exactOptional().describe('When it ended, microseconds since the epoch.'),
  time: TimeBasis,
};

/**
 * One leg of a call as one switch saw it: everything that a traceback asks for, whatever the switch. Plain JSON.
 * Records of other legs, forks and routes of the same call share its `callGroupId`.
 * @see RFC 8259
 * @example
 * ```ts
 * console.log(CallRecord.safeParse({ format: 'hopback.call-record.1' }).success); // false
 * ```
 */
export const CallRecord = object('One leg of a call as one switch saw it.', {
  /** Marks the form; a reader refuses others. */
  format: z.literal('hopback.call-record.1').describe('Marks the form; a reader refuses others.'),
  recordId,
  /** Where the record comes from, so that a court can be shown the bytes and how they were read. */
  source: object('Where the record comes from, so that a court can be shown the bytes and how they were read.', {
    /** Name of the switch or feed, as the carrier has configured it. */
    id: sourceId.describe('Name of the switch or feed, as the carrier has configured it.'),
    format: RecordFormat,
    /** Version of the reader of that format that made this record from the bytes. */
    readerVersion: count.describe('Version of the reader of that format that made this record from the bytes.'),
    /** SHA-256 of the raw bytes of the row, document or packet, lower-case hex. For several: SHA-256 of their hashes in ascending order, each followed by a line feed. */
    sha256: sha256.describe(
      'SHA-256 of the raw bytes of the row, document or packet, lower-case hex. For several: SHA-256 of their hashes in ascending order, each followed by a line feed.',
    ),
    /** The bytes themselves, one entry for each row or packet, if the source has `keepRaw`. They never leave the carrier with a shared record. */
    raw: z
      .array(RawRow)
      .min(1)
      .max(MAX_RAW_ROWS)
      .exactOptional()
      .describe(
        'The bytes themselves, one entry for each row or packet, if the source has `keepRaw`. They never leave the carrier with a shared record.',
      ),
  }),
  /** The switch's own name of the leg. */
  legId: name.describe("The switch's own name of the leg."),
  /** What the legs of one call have in common. */
  callGroupId: name.describe('What the legs of one call have in common.'),
  ...callTimes,
  /** Who calls: the number of From, as it came in. Absent if the source has none. */
  calling: PartyNumber.exactOptional().describe(
    'Who calls: the number of From, as it came in. Absent if the source has none.',
  ),
  /** The asserted number, if there was one and it differs from the number in From. */
  asserted: PartyNumber.exactOptional().describe(
    'The asserted number, if there was one and it differs from the number in From.',
  ),
  /** Who is called. */
  called: CalledNumber.exactOptional().describe('Who is called.'),
  /** The side from which the call came; a traceback names the provider there. */
  ingress: HopSide.describe('The side from which the call came; a traceback names the provider there.'),
  /** The side to which it was sent. */
  egress: HopSide.describe('The side to which it was sent.'),
  disposition: Disposition,
  release: Release.exactOptional(),
  /** What the signatures were worth when the call came in. */
  received: ReceivedVerification.exactOptional().describe('What the signatures were worth when the call came in.'),
  /** What the carrier itself signed. */
  signed: OwnSigning.exactOptional().describe('What the carrier itself signed.'),
  /** The carrier's name for its own customer, if the call began there. */
  customerId: name.exactOptional().describe("The carrier's name for its own customer, if the call began there."),
  /** What refused the call: a rule, an analytics engine, the subscriber. */
  blockedBy: name.exactOptional().describe('What refused the call: a rule, an analytics engine, the subscriber.'),
});
export type CallRecord = BodyOf<typeof CallRecord>;
/** A number that left the carrier as a pseudonym: within a carrier's rotation id, the same number has the same pseudonym. */
export const pseudonymousNumber = object(
  "A pseudonymized number: within a carrier's rotation id, the same number has the same pseudonym.",
  {
    /** What is shown of the number. */
    shown: z.literal('pseudonym').describe('What is shown of the number.'),
    pseudonym,
    /** Area code and exchange of a North American number, six digits. Nothing is shown of other numbers. */
    npaNxx: pattern(/^\d{6}$/)
      .exactOptional()
      .describe('Area code and exchange of a North American number, six digits. Nothing is shown of other numbers.'),
  },
);

const whole = z.literal('whole').describe('The number is shown as the carrier has it.');
export const SharedCalledNumber = z.union([z.object({ shown: whole, ...CalledNumber.shape }), pseudonymousNumber]);
/** Who was called, as far as the carrier says it. */
export type SharedCalledNumber = BodyOf<typeof SharedCalledNumber>;

export const SharedCallingNumber = z.union([
  z.object({ shown: whole, ...PartyNumber.shape }),
  object('The canonical number, without how it was written.', {
    /** What is shown of the number. */
    shown: z.literal('number').describe('What is shown of the number.'),
    tn: canonicalTn,
  }),
  pseudonymousNumber,
  object('Not a telephone number, and not shown: the caller withheld the number, or sent something else.', {
    /** What is shown of the number. */
    shown: z.literal('no-number').describe('What is shown of the number.'),
    /** Whether the caller withheld the number. */
    isAnonymous: z.boolean().describe('Whether the caller withheld the number.'),
  }),
]);
/** Who calls, as far as the carrier says it. */
export type SharedCallingNumber = BodyOf<typeof SharedCallingNumber>;

/**
 * A {@link CallRecord} as it left the carrier, one line of a batch: what the policy withholds is missing, what it hides is a pseudonym, and
 * `sharing` says which. `recordId` is that of the record, so that a traceback of a shared call starts at the carrier, whose answer names the
 * number. Never holds the customer, nor the raw bytes of the switch. Plain JSON.
 * @see RFC 8259; https://github.com/ndjson/ndjson-spec
 * @example
 * ```ts
 * const reading = SharedRecord.safeParse({ format: 'hopback.call-record.1' });
 * if (!reading.success) console.log(reading.error.issues[0]?.path); // [ 'format' ]
 * ```
 */
export const SharedRecord = object(
  'A call record as it left the carrier: what the policy withholds is missing, what it hides is a pseudonym. It never holds the customer, nor the raw bytes of the switch. A traceback of a shared call starts at the carrier with `recordId`.',
  {
    /** Marks the form; a reader refuses others. */
    format: z.literal('hopback.shared-record.1').describe('Marks the form; a reader refuses others.'),
    recordId,
    /** How much the carrier shows of the record, and by which policy. */
    sharing: object('How much the carrier shows of the record, and by which policy.', {
      /** Name and version of the carrier's sharing policy. */
      policyId: z.string().min(1).max(128).describe("Name and version of the carrier's sharing policy."),
      /** `pseudonymous`: called number, leg and call group are pseudonyms, other members as the policy has it; `full`: the called number is shown. */
      form: z
        .enum(['pseudonymous', 'full'])
        .describe(
          '`pseudonymous`: called number, leg and call group are pseudonyms, other members as the policy has it; `full`: the called number is shown.',
        ),
      /** Which key the pseudonyms were made with. Pseudonyms of different rotation ids cannot be compared. */
      rotationId: z
        .string()
        .min(1)
        .max(64)
        .describe('Which key the pseudonyms were made with. Pseudonyms of different rotation ids cannot be compared.'),
      /** How the carrier judged the call, if it did. */
      suspicion: optionalObject('How the carrier judged the call, if it did.', {
        /** Score, 0 to 1. */
        score: z.number().min(0).max(1).describe('Score, 0 to 1.'),
        /** How suspicious the call is. */
        level: oneOf('How suspicious the call is.', ['none', 'watch', 'suspicious']),
        /** Names of the signals. */
        signals: z.array(z.string().min(1).max(64)).max(MAX_SIGNALS).describe('Names of the signals.'),
      }),
    }),
    /** From which switch and by which reader the record is. */
    source: object('From which switch and by which reader the record is.', {
      /** Name of the switch, or its pseudonym. */
      id: sourceId.exactOptional().describe('Name of the switch, or its pseudonym.'),
      format: RecordFormat,
      /** Version of the reader. */
      readerVersion: count.describe('Version of the reader.'),
      /** Only in the full form: the row holds the called number, and a hash lets it be guessed. */
      sha256: sha256
        .exactOptional()
        .describe('Only in the full form: the row holds the called number, and a hash lets it be guessed.'),
    }),
    /** Only in the full form: some switches name legs by the called number. */
    legId: name.exactOptional().describe('Only in the full form: some switches name legs by the called number.'),
    /** What the legs of one call have in common. A pseudonym in the pseudonymous form, and whenever the value contains the customer. */
    callGroupId: name.describe(
      'What the legs of one call have in common. A pseudonym in the pseudonymous form, and whenever the value contains the customer.',
    ),
    ...callTimes,
    /** Who calls, as far as the carrier says it. */
    calling: SharedCallingNumber.exactOptional().describe('Who calls, as far as the carrier says it.'),
    /** The asserted number, as far as the carrier says it. */
    asserted: SharedCallingNumber.exactOptional().describe('The asserted number, as far as the carrier says it.'),
    /** Who was called, as far as the carrier says it. */
    called: SharedCalledNumber.exactOptional().describe('Who was called, as far as the carrier says it.'),
    /** The side from which the call came. Trunk and Call-ID may be pseudonyms, and every member may be withheld. */
    ingress: HopSide.describe(
      'The side from which the call came. Trunk and Call-ID may be pseudonyms, and every member may be withheld.',
    ),
    /** The side to which it was sent. */
    egress: HopSide.describe('The side to which it was sent.'),
    disposition: Disposition,
    release: Release.exactOptional(),
    /** What the signatures of the call were worth when it came in. */
    received: optionalObject('What the signatures of the call were worth when it came in.', {
      ...verification,
      /** What was found when the PASSporT was verified. */
      evidence: z
        .union([VerdictEvidence, SharedEvidence])
        .exactOptional()
        .describe('What was found when the PASSporT was verified.'),
    }),
    /** What the carrier itself signed. */
    signed: OwnSigning.exactOptional().describe('What the carrier itself signed.'),
    /** What refused the call: a rule, an analytics engine, the subscriber. */
    blockedBy: name.exactOptional().describe('What refused the call: a rule, an analytics engine, the subscriber.'),
  },
);
export type SharedRecord = BodyOf<typeof SharedRecord>;
/** How much the carrier shows of a record, and by which policy. */
export type SharingMark = SharedRecord['sharing'];
