import { z } from 'zod';
import type { BodyOf } from './common.js';
import {
  answerId,
  campaignId,
  compactJws,
  ContactDetails,
  count,
  email,
  line,
  listOf,
  logId,
  mediaType,
  object,
  offsetTime,
  oneOf,
  optionalObject,
  packId,
  pattern,
  ProviderReference,
  requestId,
  sha256,
  spc,
  text,
  tracebackId,
  transcriptText,
  utcTime,
} from './common.js';
import {
  attestation,
  CoverageInterval,
  Disposition,
  name,
  OwnSigning,
  recordId,
  Release,
  verstat,
} from './call-record.js';

/** Longest chain of hops that is followed: the average is below six, and a call that came through more providers than this went in circles. */
export const MAX_HOPS = 64;
/** Longest call that is asked about, seconds: a week. */
const MAX_DURATION_SECONDS = 604_800;

/**
 * A moment as somebody stated it: what was written, and the wall clock that it means. Rarely the instant at which the INVITE arrived:
 * requests carry minutes, in a zone that is often not UTC.
 */
export const StatedTime = object(
  'A moment as somebody stated it: what was written, and the wall clock that it means. Rarely the instant at which the INVITE arrived: requests carry minutes, in a zone that is often not UTC.',
  {
    /** As it stood in the request, `10/23/2026 3:41 PM EDT`. */
    asWritten: line.describe('As it stood in the request, `10/23/2026 3:41 PM EDT`.'),
    /** Date and time of day without an offset: `2026-10-23T15:41`, with seconds and a fraction if they were stated. RFC 3339 section 5.6 */
    local: pattern(/^\d{4}-\d{2}-\d{2}(?:T\d{2}(?::\d{2}(?::\d{2}(?:\.\d{1,6})?)?)?)?$/).describe(
      'Date and time of day without an offset: `2026-10-23T15:41`, with seconds and a fraction if they were stated. RFC 3339 section 5.6',
    ),
    /** IANA name (`America/New_York`), offset from UTC (`-04:00`) or `UTC`; absent if none was stated. */
    zone: pattern(/^[A-Za-z0-9_+:/-]{1,64}$/)
      .exactOptional()
      .describe('IANA name (`America/New_York`), offset from UTC (`-04:00`) or `UTC`; absent if none was stated.'),
    /** Smallest step that was stated. */
    precision: z
      .enum(['day', 'hour', 'minute', 'second', 'millisecond', 'microsecond'])
      .describe('Smallest step that was stated.'),
  },
);
export type StatedTime = BodyOf<typeof StatedTime>;
/** Smallest step of a stated time. */
export type TimePrecision = StatedTime['precision'];

/**
 * The call that is asked about, as it was stated, by the called number or by a record that the asked provider itself shared. Nothing in it is
 * believed before it is matched.
 */
export const RequestedCall = z
  .object({
    /** Called number, in any spelling. Absent only if `recordId` replaces it: a shared record under a pseudonym. */
    called: line
      .exactOptional()
      .describe(
        'Called number, in any spelling. Absent only if `recordId` replaces it: a shared record under a pseudonym.',
      ),
    /** Number of the caller, in any spelling; often spoofed, often missing. */
    calling: line.exactOptional().describe('Number of the caller, in any spelling; often spoofed, often missing.'),
    /** When the call was made, as it was stated. */
    at: StatedTime.describe('When the call was made, as it was stated.'),
    /** SIP Call-ID where the call was reported, or on the hop towards that place. */
    callId: name.exactOptional().describe('SIP Call-ID where the call was reported, or on the hop towards that place.'),
    /** `origid` of the PASSporT, a UUID. RFC 8588 section 5 */
    origId: name.exactOptional().describe('`origid` of the PASSporT, a UUID. RFC 8588 section 5'),
    /** Id of a record that the asked provider itself shared. */
    recordId: recordId.exactOptional().describe('Id of a record that the asked provider itself shared.'),
    attestation: attestation.exactOptional(),
    /** Service Provider Code of the certificate that signed. */
    spc: spc.exactOptional().describe('Service Provider Code of the certificate that signed.'),
    /** Length of the call, seconds. */
    durationSeconds: z
      .number()
      .min(0)
      .max(MAX_DURATION_SECONDS)
      .exactOptional()
      .describe('Length of the call, seconds.'),
  })
  .refine(({ called, recordId: shared }) => called !== undefined || shared !== undefined)
  .meta({
    description: 'The call that is asked about, as it was stated. Nothing in it is believed before it is matched.',
    anyOf: [{ required: ['called'] }, { required: ['recordId'] }],
  });
export type RequestedCall = BodyOf<typeof RequestedCall>;

/** Who asks, and by which right. 47 CFR 64.1200(n)(1) names them. */
export const Requester = object('Who asks.', {
  /** Who asks, and by which right. 47 CFR 64.1200(n)(1) names them. */
  kind: z
    .enum(['itg', 'fcc', 'civil-law-enforcement', 'criminal-law-enforcement'])
    .describe('Who asks, and by which right. 47 CFR 64.1200(n)(1) names them.'),
  /** Name of the organization or office. */
  name: line.describe('Name of the organization or office.'),
  /** Mail address. */
  email: email.exactOptional().describe('Mail address.'),
});
export type Requester = BodyOf<typeof Requester>;
export type RequesterKind = Requester['kind'];

/** What the call is suspected to be part of. */
export const RequestedCampaign = object('What the call is suspected to be part of.', {
  campaignId: campaignId.exactOptional(),
  /** Name of the campaign, such as `SSA-Suspended-P2`. */
  name: line.describe('Name of the campaign, such as `SSA-Suspended-P2`.'),
  /** What the calls are about. */
  description: text.exactOptional().describe('What the calls are about.'),
  /** What the recording says. */
  transcript: transcriptText.exactOptional().describe('What the recording says.'),
  /** SHA-256 of the recording, lower-case hex. */
  recordingSha256: sha256.exactOptional().describe('SHA-256 of the recording, lower-case hex.'),
});
export type RequestedCampaign = BodyOf<typeof RequestedCampaign>;

export const direction = z
  .enum(['back', 'forward'])
  .describe('`back`: from whom the call came; `forward`: who serves the number.');
export const hop = z.int().min(1).max(MAX_HOPS).describe('Place in the chain, 1 for the provider at which it starts.');

/** One request to one provider about one call. A traceback is a chain of these, one for each hop. */
export const TracebackRequest = object(
  'One request to one provider about one call. A traceback is a chain of these, one for each hop.',
  {
    /** Marks the form. */
    format: z.literal('hopback.traceback-request.1').describe('Marks the form.'),
    requestId,
    tracebackId,
    direction,
    hop,
    /** Who asks. */
    requester: Requester.describe('Who asks.'),
    /** When it was sent, RFC 3339 with offset. */
    issuedAt: offsetTime.describe('When it was sent, RFC 3339 with offset.'),
    /** By when an answer is asked for, RFC 3339 with offset, if it was stated. */
    dueAt: offsetTime
      .exactOptional()
      .describe('By when an answer is asked for, RFC 3339 with offset, if it was stated.'),
    /** Who is asked. */
    provider: ProviderReference.describe('Who is asked.'),
    /** The hop that named the asked provider as the sender of the call; absent at the first hop. */
    downstream: ProviderReference.exactOptional().describe(
      'The hop that named the asked provider as the sender of the call; absent at the first hop.',
    ),
    /** What the call is suspected to be part of. */
    campaign: RequestedCampaign.exactOptional().describe('What the call is suspected to be part of.'),
    /** The call, as it was stated. */
    call: RequestedCall.describe('The call, as it was stated.'),
    /** What else was asked, for people. */
    comment: text.exactOptional().describe('What else was asked, for people.'),
  },
);
export type TracebackRequest = BodyOf<typeof TracebackRequest>;

/** Windows that were searched: the one that was asked for, widened some times, and again for an hour that comes twice. */
const MAX_WINDOWS = 64;
/** What a call can be looked up by, with room for more. */
const MAX_KEYS = 32;
/** Stretches of complete data: some for each of the sources of a large carrier. */
const MAX_COVERAGE_INTERVALS = 1_024;
/** Revisions of an answer, with the first one. */
const MAX_REVISION = 1_000;
/** Most numbers in `divertedTo`: a record has a translated number and a routing number for each of its few legs. */
export const MAX_DIVERTED_TO = 8;

export const CustomerAction = z
  .enum(['none', 'under-review', 'warned', 'suspended', 'terminated'])
  .describe('What was done about the customer or upstream provider that sent the call.');
/** What was done about a customer or upstream provider that sent the call. */
export type CustomerAction = z.output<typeof CustomerAction>;

export const CustomerStatement = object('What is known of the customer.', {
  /** The provider's own id of its customer. */
  customerId: name.exactOptional().describe("The provider's own id of its customer."),
  /** The customer, as far as the provider's configuration lets it be said. */
  contact: ContactDetails.exactOptional().describe(
    "The customer, as far as the provider's configuration lets it be said.",
  ),
  /** What the provider did to know its customer, in its own words. 47 CFR 64.1200(n)(4) */
  knowYourCustomer: text
    .exactOptional()
    .describe('What the provider did to know its customer, in its own words. 47 CFR 64.1200(n)(4)'),
  /** What was done about the customer. */
  action: CustomerAction.exactOptional().describe('What was done about the customer.'),
});
/** What is known of a customer whose call began at the answering provider. */
export type CustomerStatement = BodyOf<typeof CustomerStatement>;

function arm<Name extends string, Members extends z.core.$ZodLooseShape>(named: Name, says: string, members: Members) {
  return z
    .object({
      /** Which finding this is. */
      arm: z.literal(named).describe('Which finding this is.'),
      ...members,
    })
    .describe(says);
}

/** What the provider says: the arms of an answer. */
export const TracebackFinding = z
  .discriminatedUnion('arm', [
    arm('received-from', 'The call came directly from this provider, which is listed.', {
      /** The provider from which the call came. */
      upstream: ProviderReference.describe('The provider from which the call came.'),
    }),
    arm('received-from-unlisted', 'It came directly from a provider that no registry lists.', {
      /** The provider from which the call came. */
      upstream: ContactDetails.describe('The provider from which the call came.'),
    }),
    arm('origin', 'The call began here.', { customer: CustomerStatement }),
    arm('point-of-entry', 'It entered the United States here.', {
      /** From whom it came. */
      upstream: ContactDetails.describe('From whom it came.'),
    }),
    arm('not-found', 'No such call, although all records of that time are available: see `searched`.', {}),
    arm('not-retained', 'Records of that time were removed: whether there was such a call cannot be said.', {
      /** Start of the records that are still kept, RFC 3339 in UTC. */
      retainedFrom: utcTime.describe('Start of the records that are still kept, RFC 3339 in UTC.'),
    }),
    arm(
      'not-our-number',
      'The called number is not served here, and was not when the call was made. First hop only.',
      {},
    ),
    arm('not-sent-to-downstream', 'There is such a call, but it was not sent to the provider that named us.', {
      /** The provider to which it was sent. */
      downstream: ProviderReference.describe('The provider to which it was sent.'),
    }),
    arm('ambiguous', 'Several calls fit, and a person could not tell them apart either.', {
      /** How many calls fit. */
      candidates: z.int().min(1).max(100_000).describe('How many calls fit.'),
    }),
    arm('serves-number', 'Trace forward: the number is served here, for this customer.', {
      customer: CustomerStatement,
    }),
    arm('number-served-by', 'Trace forward: the number was handed to this provider.', {
      /** The provider that serves the number. */
      provider: ProviderReference.describe('The provider that serves the number.'),
    }),
    arm('refused', 'No answer will be given, for this reason.', {
      /** Why, in words. */
      reason: text.describe('Why, in words.'),
    }),
  ])
  .describe('What the provider says.');
export type TracebackFinding = BodyOf<typeof TracebackFinding>;
/** Name of an arm. */
export type FindingArm = TracebackFinding['arm'];
/** Every arm. */
export const FINDING_ARMS: readonly FindingArm[] = TracebackFinding.options.map(({ shape }) => shape.arm.value);
export const FindingArm = z.enum(FINDING_ARMS).describe('What the last answer says.');

export const AnsweredCall = object("What the provider's record says about the call.", {
  /** When it came in, RFC 3339 in UTC. */
  startedAt: utcTime.describe('When it came in, RFC 3339 in UTC.'),
  /** When it was answered, RFC 3339 in UTC. */
  answeredAt: utcTime.exactOptional().describe('When it was answered, RFC 3339 in UTC.'),
  /** When it ended, RFC 3339 in UTC. */
  endedAt: utcTime.exactOptional().describe('When it ended, RFC 3339 in UTC.'),
  /** Calling number, as the record has it. */
  calling: name.exactOptional().describe('Calling number, as the record has it.'),
  /** Called number, as the record has it. */
  called: name.exactOptional().describe('Called number, as the record has it.'),
  /** Other numbers that the provider has on record for the called party, if it changed the number: the number that it sent the call on to after forwarding or toll-free translation, or the routing number of a ported one. The next request is about `called`. */
  divertedTo: z
    .array(name)
    .min(1)
    .max(MAX_DIVERTED_TO)
    .exactOptional()
    .describe(
      'Other numbers that the provider has on record for the called party, if it changed the number: the number that it sent the call on to after forwarding or toll-free translation, or the routing number of a ported one. The next request is about `called`.',
    ),
  disposition: Disposition,
  release: Release.exactOptional(),
  /** Trunk on which it came in. */
  ingressTrunk: name.exactOptional().describe('Trunk on which it came in.'),
  /** Source of the signalling, `192.0.2.1:5060`. */
  ingressAddress: name.exactOptional().describe('Source of the signalling, `192.0.2.1:5060`.'),
  /** SIP Call-ID with which it came in. */
  ingressCallId: name.exactOptional().describe('SIP Call-ID with which it came in.'),
  /** Trunk by which it left. */
  egressTrunk: name.exactOptional().describe('Trunk by which it left.'),
  /** PASSporT with which it came in, and what was found of it. */
  received: optionalObject('PASSporT with which it came in, and what was found of it.', {
    verstat: verstat.exactOptional(),
    attestation: attestation.exactOptional(),
    /** `origid` of the PASSporT, a UUID. */
    origId: name.exactOptional().describe('`origid` of the PASSporT, a UUID.'),
    spc: spc.exactOptional(),
  }),
  /** PASSporT with which it was sent, and what the attestation rests on. */
  signed: OwnSigning.exactOptional().describe('PASSporT with which it was sent, and what the attestation rests on.'),
  /** Which of the provider's own controls refused the call. */
  blockedBy: name.exactOptional().describe("Which of the provider's own controls refused the call."),
});
/** What the provider's record says about the call. Times are RFC 3339 in UTC. */
export type AnsweredCall = BodyOf<typeof AnsweredCall>;

export const SearchStatement = object('What was searched before the answer was given.', {
  /** Stretches of time that were searched, both ends included. */
  windows: listOf('Stretches of time that were searched, both ends included.', MAX_WINDOWS, {
    /** Beginning of the stretch, RFC 3339 in UTC. */
    from: utcTime.describe('Beginning of the stretch, RFC 3339 in UTC.'),
    /** End of the stretch, RFC 3339 in UTC. */
    to: utcTime.describe('End of the stretch, RFC 3339 in UTC.'),
  }),
  /** Search keys: `called`, `calling`, `call-id`, `origid`, `record-id`. */
  keys: z.array(line).max(MAX_KEYS).describe('Search keys: `called`, `calling`, `call-id`, `origid`, `record-id`.'),
  /** Intervals within those times for which the records of a source are complete. */
  coverage: z
    .array(CoverageInterval)
    .max(MAX_COVERAGE_INTERVALS)
    .describe('Intervals within those times for which the records of a source are complete.'),
  /** Records that were weighed. */
  recordsConsidered: count.describe('Records that were weighed.'),
});
/** What was searched before an answer was given. Times are RFC 3339 in UTC, both ends included. */
export type SearchStatement = BodyOf<typeof SearchStatement>;

export const Answerer = z
  .discriminatedUnion('kind', [
    object('A policy, without a person.', {
      /** Who gave the answer. */
      kind: z.literal('automatic').describe('Who gave the answer.'),
      /** Id of the provider's policy that gave the answer. */
      policyId: line.describe("Id of the provider's policy that gave the answer."),
    }),
    z.object({
      /** Who gave the answer. */
      kind: z.literal('person').describe('Who gave the answer.'),
      /** Name of the person. */
      name: line.describe('Name of the person.'),
    }),
  ])
  .describe('Who gave the answer.');
/** Who gave an answer. */
export type Answerer = BodyOf<typeof Answerer>;

export const EvidenceReference = z.object({
  packId,
  /** SHA-256 of the manifest of the pack, lower-case hex. */
  manifestSha256: sha256.describe('SHA-256 of the manifest of the pack, lower-case hex.'),
  /** Id of the log that it was written to. */
  logId: logId.describe('Id of the log that it was written to.'),
  /** Place of the entry in the log, from 0. */
  leafIndex: count.describe('Place of the entry in the log, from 0.'),
});
/** Where the evidence of an answer lies in the provider's log. */
export type EvidenceReference = BodyOf<typeof EvidenceReference>;

const revision = z
  .int()
  .min(1)
  .max(MAX_REVISION)
  .describe('1 for the first answer to a request; an amended answer has the next number.');

/** A provider's answer to a {@link TracebackRequest}, the payload of its JWS. Once signed it does not change: a mistake is corrected by another. */
export const TracebackAnswer = object(
  "A provider's answer to a request. Once signed it does not change: a mistake is corrected by another answer.",
  {
    /** Marks the form. */
    format: z.literal('hopback.traceback-answer.1').describe('Marks the form.'),
    answerId,
    requestId,
    tracebackId,
    revision,
    /** The answer that this one amends, and why; present if `revision` is above 1. */
    amends: optionalObject('The answer that this one amends, and why; present if `revision` is above 1.', {
      answerId,
      /** Why it is amended, in words. */
      reason: text.describe('Why it is amended, in words.'),
    }),
    /** When it was given, RFC 3339 in UTC. */
    answeredAt: utcTime.describe('When it was given, RFC 3339 in UTC.'),
    /** Who answers. */
    provider: ProviderReference.describe('Who answers.'),
    answeredBy: Answerer,
    /** What the provider says. */
    finding: TracebackFinding.describe('What the provider says.'),
    /** What the provider's record says about the call; absent if no call was found. */
    call: AnsweredCall.exactOptional().describe(
      "What the provider's record says about the call; absent if no call was found.",
    ),
    /** What was done about the sender of the call, if it is another provider. */
    upstreamAction: CustomerAction.exactOptional().describe(
      'What was done about the sender of the call, if it is another provider.',
    ),
    searched: SearchStatement,
    /** Where the evidence of the answer lies in the provider's log. */
    evidence: EvidenceReference.exactOptional().describe(
      "Where the evidence of the answer lies in the provider's log.",
    ),
    /** For the people at the other side. */
    comment: text.exactOptional().describe('For the people at the other side.'),
  },
);
export type TracebackAnswer = BodyOf<typeof TracebackAnswer>;

/** Files of a pack: a dozen, and one for each row that a record was made of. */
const MAX_FILES = 1_024;

export const EvidenceFile = z.object({
  /** Path within the pack, `/` between its parts. */
  name: z
    .string()
    // Parts of letters and digits, so that no name leads out of the folder that it is unpacked into.
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}(?:\/[A-Za-z0-9][A-Za-z0-9._-]{0,127}){0,7}$/)
    .describe('Path within the pack, `/` between its parts.'),
  /** What the file is for. */
  role: z
    .enum([
      'manifest',
      'source-record',
      'search',
      'coverage',
      'decision',
      'verdict',
      'request',
      'answer',
      'log-proof',
      'certificate-of-custodian',
      'rendering',
      'other',
    ])
    .describe('What the file is for.'),
  mediaType,
  /** Size in octets. */
  sizeBytes: count.describe('Size in octets.'),
  /** SHA-256 of the bytes, lower-case hex. */
  sha256: sha256.describe('SHA-256 of the bytes, lower-case hex.'),
});
/** One file of an evidence pack. */
export type EvidenceFile = BodyOf<typeof EvidenceFile>;

/** The state of a provider's tamper-evident log at some size of it. @see RFC 9162 section 2.1 */
export const LogCheckpoint = object(
  "The state of a provider's tamper-evident log at some size of it.\n\nSee RFC 9162 section 2.1.",
  {
    logId,
    /** Entries of the log. */
    treeSize: count.describe('Entries of the log.'),
    /** Merkle tree hash, lower-case hex. */
    rootSha256: sha256.describe('Merkle tree hash, lower-case hex.'),
    /** When it was signed, RFC 3339 in UTC. */
    signedAt: utcTime.describe('When it was signed, RFC 3339 in UTC.'),
  },
);
export type LogCheckpoint = BodyOf<typeof LogCheckpoint>;

/**
 * What an evidence pack holds, without the files themselves: enough to see later, with the pack at hand, that nothing in it has changed since
 * the answer.
 */
export const EvidencePackSummary = object(
  'The contents of an evidence pack, without the files: enough to check later that the pack has not changed since the answer.',
  {
    /** Marks the form. */
    format: z.literal('hopback.evidence-pack-summary.1').describe('Marks the form.'),
    packId,
    requestId,
    answerId,
    /** When the pack was made, RFC 3339 in UTC. */
    createdAt: utcTime.describe('When the pack was made, RFC 3339 in UTC.'),
    /** SHA-256 of the manifest of the pack, lower-case hex. */
    manifestSha256: sha256.describe('SHA-256 of the manifest of the pack, lower-case hex.'),
    logId,
    /** Place of the pack in the log, from 0. */
    leafIndex: count.describe('Place of the pack in the log, from 0.'),
    /** The latest checkpoint that covers it. */
    checkpoint: LogCheckpoint.exactOptional().describe('The latest checkpoint that covers it.'),
    /** The files, each with its SHA-256. */
    files: z.array(EvidenceFile).min(1).max(MAX_FILES).describe('The files, each with its SHA-256.'),
  },
);
export type EvidencePackSummary = BodyOf<typeof EvidencePackSummary>;

/** `typ` of the JWS of an answer, so that no other thing the provider signed can be taken for one. RFC 8725 section 3.11 */
export const TRACEBACK_ANSWER_JWS_TYPE = 'traceback-answer+jws';

/** `typ` of the JWS of a receipt. RFC 8725 section 3.11 */
export const ANSWER_RECEIPT_JWS_TYPE = 'answer-receipt+jws';

/** Most characters of the JWS of an answer that a receiver has to take. */
export const MAX_ANSWER_JWS_CHARS = 262_144;

/** Longest receipt: a dozen short members, base64url, and a signature. */
const MAX_RECEIPT_JWS_CHARS = 8_192;

/** Why no answer is wanted any longer, member by member: an event has them beside others. */
export const cancellationMembers = {
  /** When it was withdrawn, RFC 3339 in UTC. */
  cancelledAt: utcTime.describe('When it was withdrawn, RFC 3339 in UTC.'),
  /** Why, in words. */
  reason: text.describe('Why, in words.'),
};

/** A request to the calling provider, with acknowledgement and answers. Whether it is overdue is up to the clock: compare `dueAt`. */
export const TracebackRequestStatus = object('A request to the calling provider, with acknowledgement and answers.', {
  /** The request itself. */
  request: TracebackRequest.describe('The request itself.'),
  /** The state of the request. */
  state: oneOf('The state of the request.', ['open', 'acknowledged', 'answered', 'cancelled']),
  /** By when an answer is due by the platform's reading of 47 CFR 64.1200(n)(1), RFC 3339 in UTC. The provider's own reading binds it. */
  dueAt: utcTime.describe(
    "By when an answer is due by the platform's reading of 47 CFR 64.1200(n)(1), RFC 3339 in UTC. The provider's own reading binds it.",
  ),
  /** When the provider first said that it has the request, RFC 3339 in UTC. */
  acknowledgedAt: utcTime
    .exactOptional()
    .describe('When the provider first said that it has the request, RFC 3339 in UTC.'),
  /** That the request was withdrawn, and why. */
  cancelled: z.object(cancellationMembers).exactOptional().describe('That the request was withdrawn, and why.'),
  /** Answers in the order of their revision. What they say stays between those concerned. */
  answers: listOf(
    'Answers in the order of their revision. What they say stays between those concerned.',
    MAX_REVISION,
    {
      answerId,
      revision,
      /** When it was received, RFC 3339 in UTC. */
      receivedAt: utcTime.describe('When it was received, RFC 3339 in UTC.'),
    },
  ),
});
export type TracebackRequestStatus = BodyOf<typeof TracebackRequestStatus>;

/** The provider has a request and works on it. Sending it again changes nothing: the first one counts. */
export const RequestAcknowledgement = object(
  'The provider has a request and works on it. Sending it again changes nothing: the first one counts.',
  {
    /** Marks the form. */
    format: z.literal('hopback.request-acknowledgement.1').describe('Marks the form.'),
    /** When the provider received the request, RFC 3339 in UTC. */
    receivedAt: utcTime.describe('When the provider received the request, RFC 3339 in UTC.'),
    /** From when and until when the clock runs, by the provider's reading. */
    clock: optionalObject("From when and until when the clock runs, by the provider's reading.", {
      /** When the clock starts, RFC 3339 in UTC. */
      startsAt: utcTime.describe('When the clock starts, RFC 3339 in UTC.'),
      /** By when an answer is due, RFC 3339 in UTC. */
      dueAt: utcTime.describe('By when an answer is due, RFC 3339 in UTC.'),
    }),
    /** The provider's own number of the case. */
    reference: line.exactOptional().describe("The provider's own number of the case."),
  },
);
export type RequestAcknowledgement = BodyOf<typeof RequestAcknowledgement>;

/** An answer on its way to the platform. */
export const AnswerSubmission = object('An answer on its way to the platform.', {
  /** Compact JWS (RFC 7515 section 7.1) over the JSON of a `TracebackAnswer`, `typ` `traceback-answer+jws`, signed with ES256 or EdDSA under a key that the provider has registered, named by `kid`. */
  answer: compactJws(MAX_ANSWER_JWS_CHARS).describe(
    'Compact JWS (RFC 7515 section 7.1) over the JSON of a `TracebackAnswer`, `typ` `traceback-answer+jws`, signed with ES256 or EdDSA under a key that the provider has registered, named by `kid`.',
  ),
  /** What the evidence pack holds, if there is one: the pack itself stays with the provider. */
  evidence: EvidencePackSummary.exactOptional().describe(
    'What the evidence pack holds, if there is one: the pack itself stays with the provider.',
  ),
});
export type AnswerSubmission = BodyOf<typeof AnswerSubmission>;

/** What the platform states in a receipt: the payload of its JWS. */
export const AnswerReceipt = object('What the platform states in a receipt: the payload of its JWS.', {
  /** Marks the form. */
  format: z.literal('hopback.answer-receipt.1').describe('Marks the form.'),
  requestId,
  tracebackId,
  answerId,
  revision,
  /** SHA-256 of the characters of the compact JWS that was submitted, lower-case hex. */
  answerSha256: sha256.describe('SHA-256 of the characters of the compact JWS that was submitted, lower-case hex.'),
  /** When the answer was received, RFC 3339 in UTC. */
  receivedAt: utcTime.describe('When the answer was received, RFC 3339 in UTC.'),
  /** Whether `receivedAt` is later than the platform's due time. */
  isLate: z.boolean().describe("Whether `receivedAt` is later than the platform's due time."),
});
export type AnswerReceipt = BodyOf<typeof AnswerReceipt>;

/** A receipt as it crosses the wire. */
export const SignedReceipt = object('A receipt as it crosses the wire.', {
  answerId,
  /** Compact JWS over the JSON of an `AnswerReceipt`, `typ` `answer-receipt+jws`, under a key of the platform. */
  receipt: compactJws(MAX_RECEIPT_JWS_CHARS).describe(
    'Compact JWS over the JSON of an `AnswerReceipt`, `typ` `answer-receipt+jws`, under a key of the platform.',
  ),
});
export type SignedReceipt = BodyOf<typeof SignedReceipt>;
