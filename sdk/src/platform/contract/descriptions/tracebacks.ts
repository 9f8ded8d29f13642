// Written by `npm run contract`: what the docstrings of the interfaces say, by place. Change it there.

/** What members of bodies of tracebacks mean. */
export const TRACEBACKS_DESCRIPTIONS: Readonly<Record<string, string>> = {
  'AnswerReceipt/answerSha256': 'SHA-256 of the characters of the compact JWS that was submitted, lower-case hex.',
  'AnswerReceipt/receivedAt': 'RFC 3339 in UTC.',
  'AnswerReceipt/isLate': "Whether `receivedAt` lies behind the platform's due time.",
  AnswerReceipt: 'What the platform states in a receipt: the payload of its JWS.',
  'AnswerSubmission/answer':
    'Compact JWS (RFC 7515 section 7.1) over the JSON of a `TracebackAnswer`, `typ` `traceback-answer+jws`, signed with ES256 or EdDSA under a key that the provider has registered, named by `kid`.',
  'AnswerSubmission/evidence':
    'What the evidence pack holds, where there is one: the pack itself stays with the provider.',
  AnswerSubmission: 'An answer on its way to the platform.',
  'RequestAcknowledgement/receivedAt': 'When the provider took the request in, RFC 3339 in UTC.',
  'RequestAcknowledgement/clock':
    "From when the clock runs by the provider's reading, and until when: RFC 3339 in UTC.",
  'RequestAcknowledgement/reference': "The provider's own number of the case.",
  RequestAcknowledgement:
    'The provider has a request and works on it. Said again it changes nothing: the first one counts.',
  'RequestedCall/called':
    'Number called, in any spelling. Absent only where `recordId` stands for it: a shared record under a pseudonym.',
  'RequestedCall/calling': 'Number of the caller, in any spelling; often spoofed, often not there.',
  'RequestedCall/callId': 'SIP Call-ID at whoever reported the call, or on the hop towards it.',
  'RequestedCall/origId': '`origid` of the PASSporT, a UUID. RFC 8588 section 5',
  'RequestedCall/recordId': 'Of a record that the asked provider itself shared.',
  'RequestedCall/attestation':
    'Attestation level of a SHAKEN PASSporT: A full, B partial, C gateway.\n\nSee RFC 8588 section 4.',
  'RequestedCall/spc': 'Of the certificate that signed.',
  RequestedCall: 'The call that is asked about, as it was stated: nothing in it is believed before it is matched.',
  'RequestedCampaign/name': '`SSA-Suspended-P2`.',
  RequestedCampaign: 'What the call is suspected to be part of.',
  'Requester/kind': 'Who asks, and by which right. 47 CFR 64.1200(n)(1) names them.',
  Requester: 'Whoever asks.',
  'StatedTime/asWritten': 'As it stood in the request, `10/23/2026 3:41 PM EDT`.',
  'StatedTime/local':
    'Date and time of day without an offset: `2026-10-23T15:41`, with seconds and a fraction where they were stated. RFC 3339 section 5.6',
  'StatedTime/zone':
    'IANA name (`America/New_York`), offset from UTC (`-04:00`) or `UTC`; absent where none was stated.',
  'StatedTime/precision': 'Smallest step that was stated.\n\nSmallest step of a stated time.',
  StatedTime:
    'A moment as somebody stated it: what was written, and the wall clock that it means. Rarely the instant at which the INVITE arrived: requests carry minutes, in a zone that is often not UTC.',
  'Traceback/state': 'Where a traceback stands.',
  'Traceback/outcome':
    'Where `state` is `closed`; while it is `open`, what it would come to if nothing else were said.\n\nWhat a traceback has come to.\n- `origin`: a provider says that the call began at it\n- `point-of-entry`: a provider says that the call entered the United States at it\n- `foreign-provider`: a provider abroad was named, who is not asked\n- `serves-number`: trace forward: a provider says that it serves the number\n- `non-responsive`: a provider did not answer. `refused`: it said that it will not\n- `no-record`: a provider with complete records of that time has none of the call. `not-retained`: they have been removed\n- `number-not-ours`: the first provider does not serve the number that was called\n- `ambiguous`: the call could not be told from others\n- `disputed`: statements contradict each other, and evidence does not decide; nobody is accused\n- `unlisted-provider`, `not-askable`: who was named is not in the registry; or is, and cannot be asked\n- `several-neighbours`: several say that they sent the call to the one that is silent\n- `loop`, `too-many-hops`: the answers lead round in a circle, or further than is followed',
  'Traceback/openedAt': 'RFC 3339 in UTC.',
  'Traceback/hops/*/hop': '1 for the provider at which the traceback starts.',
  'Traceback/hops/*/state':
    'Where one hop stands. `overdue`: the deadline has passed; `non-responsive`: so has the time of grace; `corrected`: the answer was amended; `not-askable`: abroad, unlisted or not to be reached; `withdrawn`: the traceback does not lead there any more.',
  'Traceback/hops/*/issuedAt': 'RFC 3339 in UTC; absent where it was not asked.',
  'Traceback/hops/*/arm':
    'Which arm the last answer has. Whom it names is shown to those that the hand-off concerns, and to staff.',
  'Traceback/hops/*/customerAction': 'What was done about a customer or upstream provider that sent the call.',
  Traceback: 'A whole traceback: one call, hop by hop.',
  'TracebackAnswer/revision': '1 for the first answer to a request.',
  'TracebackAnswer/amends': 'Of the answer before, and why it is amended; where `revision` is above 1.',
  'TracebackAnswer/answeredAt': 'RFC 3339 in UTC.',
  'TracebackAnswer/answeredBy/|automatic': 'A policy, without a person.',
  'TracebackAnswer/answeredBy': 'Who gave an answer.',
  'TracebackAnswer/finding': 'What the provider says: the arms of an answer.',
  'TracebackAnswer/call/divertedTo':
    'Other numbers that the provider has on record for the called party, where it changed the number: the number that it sent the call on to after forwarding or toll-free translation, or the routing number of a ported one. The next request is about `called`.',
  'TracebackAnswer/call/disposition': 'How a call went.',
  'TracebackAnswer/call/release/sipStatus': 'Final SIP status, where there was one.',
  'TracebackAnswer/call/release/q850Cause': 'Q.850 cause.',
  'TracebackAnswer/call/release/cause': "The switch's own word for it.",
  'TracebackAnswer/call/release/party': 'Who ended it, where the source says.',
  'TracebackAnswer/call/ingressAddress': 'Source of the signalling, `192.0.2.1:5060`.',
  'TracebackAnswer/call/received/verstat':
    'The `verstat` value that a verification service reports for a call.\n\nSee 3GPP TS 24.229 section 7.2A.20, ATIS-1000082.',
  'TracebackAnswer/call/received/attestation':
    'Attestation level of a SHAKEN PASSporT: A full, B partial, C gateway.\n\nSee RFC 8588 section 4.',
  'TracebackAnswer/call/signed/attestation':
    'Attestation level of a SHAKEN PASSporT: A full, B partial, C gateway.\n\nSee RFC 8588 section 4.',
  'TracebackAnswer/call/blockedBy': "Which of the provider's own controls refused the call.",
  'TracebackAnswer/call': 'Absent where no call was found.',
  'TracebackAnswer/upstreamAction':
    'What was done about whoever sent the call, where it is another provider.\n\nWhat was done about a customer or upstream provider that sent the call.',
  'TracebackAnswer/searched/keys': 'What was looked for: `called`, `calling`, `call-id`, `origid`, `record-id`.',
  'TracebackAnswer/searched/coverage/*/sourceId': 'Name of the source, as in `CallRecord.source.id`.',
  'TracebackAnswer/searched/coverage/*/fromUs': 'First and last instant, microseconds since the epoch, both included.',
  'TracebackAnswer/searched/coverage':
    'For which of those times records of which source are complete, microseconds since the epoch.',
  'TracebackAnswer/searched/recordsConsidered': 'Records that were weighed.',
  'TracebackAnswer/evidence/manifestSha256': 'SHA-256 of the manifest of the pack, lower-case hex.',
  'TracebackAnswer/evidence/logId': 'Of the log that it was written to.',
  TracebackAnswer:
    "A provider's answer to a `TracebackRequest`. Signed, it stands: what was wrong in it is amended by another.",
  'TracebackAnswerReceivedEvent/id': 'Unique with `source`; also the `webhook-id` and the id of the stream.',
  'TracebackAnswerReceivedEvent/source': 'URI reference of the platform.',
  'TracebackAnswerReceivedEvent/subject': 'What it is about, the id of the request, traceback, notice or other.',
  'TracebackAnswerReceivedEvent/time': 'RFC 3339 in UTC.',
  TracebackAnswerReceivedEvent:
    'An answer is stored. What the receipt states, to the provider that answered and to staff.',
  'TracebackFinding/|received-from': 'The call came directly from this provider, which is listed.',
  'TracebackFinding/|received-from-unlisted': 'It came directly from a provider that no registry lists.',
  'TracebackFinding/|origin/customer/contact': "As far as the provider's configuration lets it be said.",
  'TracebackFinding/|origin/customer/knowYourCustomer':
    'What the provider did to know its customer, in its own words. 47 CFR 64.1200(n)(4)',
  'TracebackFinding/|origin/customer/action':
    'What was done about the customer.\n\nWhat was done about a customer or upstream provider that sent the call.',
  'TracebackFinding/|origin': 'The call began here.',
  'TracebackFinding/|point-of-entry': 'It entered the United States here.',
  'TracebackFinding/|not-found': 'No such call, although everything of that time is at hand: `searched` says what.',
  'TracebackFinding/|not-retained':
    'Records of that time have been removed: whether there was such a call cannot be said.',
  'TracebackFinding/|not-our-number':
    'The number called is not served here, and was not when the call was made. First hop only.',
  'TracebackFinding/|not-sent-to-downstream':
    'There is such a call, but it was not sent to the provider that named us.',
  'TracebackFinding/|ambiguous': 'Several calls fit, and a person could not tell them apart either.',
  'TracebackFinding/|serves-number/customer/contact': "As far as the provider's configuration lets it be said.",
  'TracebackFinding/|serves-number/customer/knowYourCustomer':
    'What the provider did to know its customer, in its own words. 47 CFR 64.1200(n)(4)',
  'TracebackFinding/|serves-number/customer/action':
    'What was done about the customer.\n\nWhat was done about a customer or upstream provider that sent the call.',
  'TracebackFinding/|serves-number': 'Trace forward: the number is served here, for this customer.',
  'TracebackFinding/|number-served-by': 'Trace forward: the number was handed to this provider.',
  'TracebackFinding/|refused': 'No answer will be given, for this reason.',
  TracebackFinding: 'What the provider says: the arms of an answer.',
  'TracebackOpening/requester': 'Who asks, where it is not whoever calls the platform.',
  'TracebackOpening/firstProvider': 'Who terminated the call, where that is known: who is asked first.',
  'TracebackOpening/reportId': 'Report of an application that the traceback begins with.',
  TracebackOpening: 'Opens a traceback of one call.',
  'TracebackPage/nextCursor': 'Absent on the last page.',
  TracebackPage:
    'A stretch of a list. The next one is asked for with `cursor`, which means something to the platform alone and is good for an hour at least. What is added meanwhile may come or not; what was there all the while comes once.',
  'TracebackRequest/requestId': 'Of this request to this provider: there is one answer for it.',
  'TracebackRequest/tracebackId': 'Of the traceback that it belongs to.',
  'TracebackRequest/direction': '`back`: who sent you this call; `forward`: who serves this number.',
  'TracebackRequest/hop': '1 for the provider at which it starts.',
  'TracebackRequest/issuedAt': 'When it was sent, RFC 3339 with offset.',
  'TracebackRequest/dueAt': 'Until when an answer is asked for, RFC 3339 with offset, where it was stated.',
  'TracebackRequest/provider': 'Who is asked.',
  'TracebackRequest/downstream':
    'The hop that named the asked provider as the one it had the call from; absent at the first hop.',
  'TracebackRequest/comment': 'What was asked beside that, for people.',
  TracebackRequest: 'One request to one provider about one call. A traceback is a chain of these, one for each hop.',
  'TracebackRequestCancelledEvent/id': 'Unique with `source`; also the `webhook-id` and the id of the stream.',
  'TracebackRequestCancelledEvent/source': 'URI reference of the platform.',
  'TracebackRequestCancelledEvent/subject': 'What it is about, the id of the request, traceback, notice or other.',
  'TracebackRequestCancelledEvent/time': 'RFC 3339 in UTC.',
  'TracebackRequestCancelledEvent/data/cancelledAt': 'RFC 3339 in UTC.',
  TracebackRequestCancelledEvent:
    'No answer is wanted any longer. An answer that comes nevertheless is refused with `request-cancelled`.',
  'TracebackRequestCreatedEvent/id': 'Unique with `source`; also the `webhook-id` and the id of the stream.',
  'TracebackRequestCreatedEvent/source': 'URI reference of the platform.',
  'TracebackRequestCreatedEvent/subject': 'What it is about, the id of the request, traceback, notice or other.',
  'TracebackRequestCreatedEvent/time': 'RFC 3339 in UTC.',
  TracebackRequestCreatedEvent:
    'A provider is asked. Carries the whole request. The federal clock begins with its receipt, within business hours.',
  'TracebackRequestOverdueEvent/id': 'Unique with `source`; also the `webhook-id` and the id of the stream.',
  'TracebackRequestOverdueEvent/source': 'URI reference of the platform.',
  'TracebackRequestOverdueEvent/subject': 'What it is about, the id of the request, traceback, notice or other.',
  'TracebackRequestOverdueEvent/time': 'RFC 3339 in UTC.',
  'TracebackRequestOverdueEvent/data/dueAt': 'RFC 3339 in UTC.',
  TracebackRequestOverdueEvent: 'An answer was due, and there is none. An answer is still taken, and counted as late.',
  'TracebackRequestRemindedEvent/id': 'Unique with `source`; also the `webhook-id` and the id of the stream.',
  'TracebackRequestRemindedEvent/source': 'URI reference of the platform.',
  'TracebackRequestRemindedEvent/subject': 'What it is about, the id of the request, traceback, notice or other.',
  'TracebackRequestRemindedEvent/time': 'RFC 3339 in UTC.',
  'TracebackRequestRemindedEvent/data/dueAt': 'RFC 3339 in UTC.',
  'TracebackRequestRemindedEvent/data/reminder': '1 for the first reminder.',
  TracebackRequestRemindedEvent:
    'An answer is still wanted. Comes some time before an answer is due, while there is none.',
  'TracebackRequestStatus/state':
    'Where a request to a provider stands. Whether it is overdue is a matter of the clock: `dueAt`.',
  'TracebackRequestStatus/dueAt':
    "By when an answer is due by the platform's reading of 47 CFR 64.1200(n)(1), RFC 3339 in UTC. The provider's own reading binds it.",
  'TracebackRequestStatus/acknowledgedAt': 'When the provider first said that it has the request, RFC 3339 in UTC.',
  'TracebackRequestStatus/cancelled/cancelledAt': 'RFC 3339 in UTC.',
  'TracebackRequestStatus/answers/*/receivedAt': 'RFC 3339 in UTC.',
  'TracebackRequestStatus/answers': 'Answers in the order of their revision.',
  TracebackRequestStatus: 'A request to the calling provider, and what has been said to it so far.',
  'TracebackRequestStatusPage/nextCursor': 'Absent on the last page.',
  TracebackRequestStatusPage:
    'A stretch of a list. The next one is asked for with `cursor`, which means something to the platform alone and is good for an hour at least. What is added meanwhile may come or not; what was there all the while comes once.',
  'TracebackUpdatedEvent/id': 'Unique with `source`; also the `webhook-id` and the id of the stream.',
  'TracebackUpdatedEvent/source': 'URI reference of the platform.',
  'TracebackUpdatedEvent/subject': 'What it is about, the id of the request, traceback, notice or other.',
  'TracebackUpdatedEvent/time': 'RFC 3339 in UTC.',
  TracebackUpdatedEvent: 'A traceback went on or ended. Carries the whole traceback as far as the receiver may see it.',
};
