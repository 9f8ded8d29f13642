// Written by `npm run contract`: what the docstrings of the interfaces say, by place. Change it there.

/** What members of bodies mean. */
export const DESCRIPTIONS: Readonly<Record<string, string>> = {
  'Alert/kind':
    'What an alert is about.\n- `campaign-suspected`, `campaign-resumed`: calls that look like a campaign; one that was dormant calls again\n- `live-campaign`: one that calls now, so that a temporary restraining order would stop it\n- `provider-non-responsive`: requests to a provider go unanswered\n- `point-of-entry`: foreign illegal calls come in at a provider again and again',
  'Alert/severity': 'How soon somebody should look.',
  'Alert/raisedAt': 'RFC 3339 in UTC.',
  'Alert/figures': 'What it rests on, counted.',
  'Alert/acknowledged/acknowledgedBy': 'Who, by role or office.',
  'Alert/acknowledged': "First acknowledgement by the caller's organization.",
  Alert:
    'Tells an agency or provider of what it may want to act on, with enough to open an investigation and no record that needs a demand.',
  'AlertAcknowledgement/acknowledgedBy': 'Who, by role or office.',
  AlertAcknowledgement: 'Somebody has seen an alert. Said again it changes nothing.',
  'AlertPage/nextCursor': 'Absent on the last page.',
  AlertPage:
    'A stretch of a list. The next one is asked for with `cursor`, which means something to the platform alone and is good for an hour at least. What is added meanwhile may come or not; what was there all the while comes once.',
  'AlertRaisedEvent/id': 'Unique with `source`; also the `webhook-id` and the id of the stream.',
  'AlertRaisedEvent/source': 'URI reference of the platform.',
  'AlertRaisedEvent/subject': 'What it is about, the id of the request, traceback, notice or other.',
  'AlertRaisedEvent/time': 'RFC 3339 in UTC.',
  AlertRaisedEvent: 'Something that an agency or provider may want to act on. Holds no record that needs a demand.',
  'AnswerReceipt/answerSha256': 'SHA-256 of the characters of the compact JWS that was submitted, lower-case hex.',
  'AnswerReceipt/receivedAt': 'RFC 3339 in UTC.',
  'AnswerReceipt/isLate': "Whether `receivedAt` lies behind the platform's due time.",
  AnswerReceipt: 'What the platform states in a receipt: the payload of its JWS.',
  'AnswerSubmission/answer':
    'Compact JWS (RFC 7515 section 7.1) over the JSON of a `TracebackAnswer`, `typ` `traceback-answer+jws`, signed with ES256 or EdDSA under a key that the provider has registered, named by `kid`.',
  'AnswerSubmission/evidence':
    'What the evidence pack holds, where there is one: the pack itself stays with the provider.',
  AnswerSubmission: 'An answer on its way to the platform.',
  'AppReport/reportId': "The application's own, so that the same report sent again is none more.",
  'AppReport/calledAt': "When the call came in by the telephone's clock, RFC 3339 in UTC.",
  'AppReport/called/|pseudonym/pseudonym': '32 lower-case hexadecimal digits.',
  'AppReport/called/|pseudonym/npaNxx':
    'Area code and exchange of a North American number, six digits; absent for others, of which nothing is shown.',
  'AppReport/called': "The subscriber's number as far as the application says it.",
  'AppReport/calling': 'As the telephone showed it; absent where it showed none.',
  'AppReport/callerName': 'Name that came with the call.',
  'AppReport/verstat':
    'The `verstat` value that a verification service reports for a call.\n\nSee 3GPP TS 24.229 section 7.2A.20, ATIS-1000082.',
  'AppReport/servedBy': 'Provider that serves the subscriber, as far as the application knows.',
  'AppReport/reason':
    "Why an application blocked or flagged a call.\n\n- `content`: What was heard or transcribed is that of a robocall.\n- `number-listed`: The caller's number is on a list of the application or of the subscriber.\n- `do-not-originate`: On a do-not-originate list.\n- `invalid-number`: A number that nobody can have.\n- `verification`: The signature failed, or there is none.\n- `calling-pattern`: How the number calls: many at once, one after the other.\n- `neighbour-spoofing`: Area code and exchange are the subscriber's own.\n- `anonymous`: The caller asked not to be named.\n- `subscriber`: The subscriber said so.",
  'AppReport/audioFingerprint/algorithm':
    'Name and version of the method, `chromaprint-2`: fingerprints of one method are compared with each other only.',
  'AppReport/audioFingerprint/value': 'Base64 (RFC 4648 section 4).',
  'AppReport/audioFingerprint/durationMs': 'Milliseconds of audio that it was made of.',
  AppReport: "One call that an application on a subscriber's telephone took for a robocall.",
  'AppReportReceipt/receivedAt': 'RFC 3339 in UTC; of the first time where it came again.',
  AppReportReceipt: 'That a report is stored, this time or before.',
  'Campaign/name': 'Topic, detail, script variant: `SSA-Suspended-P2`.',
  'Campaign/state': 'Whether calls still come.',
  'Campaign/firstSeenAt': 'RFC 3339 in UTC.',
  'Campaign/observedCalls': 'Calls on record, reports of applications among them.',
  'Campaign/callingNumbers': 'Different numbers that called.',
  'Campaign/transcript': 'What is said, as one call had it.',
  'Campaign/signals': 'Signals that hold it together, as words: `same-script`, `sequential-dialling`.',
  'Campaign/providers/*/role': 'Which part a provider has in a campaign, as tracebacks found it.',
  'Campaign/providers/*/tracebacks': 'Tracebacks in which it had that part.',
  'Campaign/providers': 'By how many tracebacks, most first.',
  'Campaign/class': 'Kind of fraud, as a word: `government-impersonation`, `unknown`.',
  'Campaign/stateReason':
    'Why it is in its state, as a word, and since when: `calls-came`, `no-calls`, `closed-by-analyst`.',
  'Campaign/callsPerHour': 'Calls an hour at `updatedAt`, of those on record.',
  'Campaign/estimatedVolume/basis':
    "`observed`: no more is known than the calls on record; `capture-recapture`: of how many calls in reports there are carriers' records too, by Chapman's estimate.",
  'Campaign/estimatedVolume/recorded':
    "What it was reckoned from: calls on carriers' records, in reports of applications, and in both.",
  'Campaign/reasons/*/reason': '`same-script`, `same-recording`, `neighbour-spoofing`, `same-signer`.',
  'Campaign/reasons': 'Most calls first; so with the others.',
  'Campaign/attestations/*/attestation':
    '`failed`: the signature did not fit the call; `none`: there was no signature, or it was not looked at.',
  'Campaign/entryPoints/*/basis':
    'Tracebacks that ended there; its signature on calls; or that carriers had calls from it. The first is the surest.',
  'Campaign/entryPoints/*/count': 'Tracebacks or calls that say so.',
  'Campaign/entryPoints': 'For agencies and the traceback group.',
  'Campaign/calledAreas/*/areaCode': 'Area code of the numbers called, three digits.',
  Campaign: 'Calls that belong together: the same script, recording or way of calling.',
  'CampaignPage/nextCursor': 'Absent on the last page.',
  CampaignPage:
    'A stretch of a list. The next one is asked for with `cursor`, which means something to the platform alone and is good for an hour at least. What is added meanwhile may come or not; what was there all the while comes once.',
  'CampaignUpdatedEvent/id': 'Unique with `source`; also the `webhook-id` and the id of the stream.',
  'CampaignUpdatedEvent/source': 'URI reference of the platform.',
  'CampaignUpdatedEvent/subject': 'What it is about, the id of the request, traceback, notice or other.',
  'CampaignUpdatedEvent/time': 'RFC 3339 in UTC.',
  CampaignUpdatedEvent:
    'A campaign was found, changed or ended. Providers and tracebacks are in it for agencies and staff.',
  'ContactDetails/country': 'ISO 3166-1 alpha-2.',
  ContactDetails: 'How a provider that no registry lists can be reached.',
  'CreatedWebhookEndpoint/eventTypes': 'Absent: all.',
  'CreatedWebhookEndpoint/disabledReason':
    '`gone`: it answered 410; `failing`: nothing was delivered for days.\n\nWhy nothing is posted to an endpoint any longer.',
  'CreatedWebhookEndpoint/createdAt': 'RFC 3339 in UTC.',
  'CreatedWebhookEndpoint/secret': '`whsec_` and base64 of 24 to 64 bytes.',
  CreatedWebhookEndpoint: 'An endpoint with the secret that signs what is posted to it: shown here and never again.',
  'Demand/state': 'Where a demand stands.',
  'Demand/submittedAt': 'RFC 3339 in UTC.',
  'Demand/kind': 'By which legal process records are demanded.\n\nSee 18 USC 2703.',
  'Demand/agency/jurisdiction': 'State or federal body whose law it acts under: `US`, `US-TX` (ISO 3166).',
  'Demand/reference': "The agency's number of the matter.",
  'Demand/authority': 'The law it is issued under, as cited in it.',
  'Demand/returnOn': 'RFC 3339 full date by which production is demanded.',
  'Demand/isUrgent': 'Whether calls go on, so that review should not wait.',
  'Demand/documentSha256': 'SHA-256 of the PDF, lower-case hex.',
  Demand: 'A subpoena, civil investigative demand or court order, and what became of it.',
  'DemandDecidedEvent/id': 'Unique with `source`; also the `webhook-id` and the id of the stream.',
  'DemandDecidedEvent/source': 'URI reference of the platform.',
  'DemandDecidedEvent/subject': 'What it is about, the id of the request, traceback, notice or other.',
  'DemandDecidedEvent/time': 'RFC 3339 in UTC.',
  DemandDecidedEvent: 'A demand was approved, narrowed or rejected. With the reason.',
  'DemandDecision/|approve/decidedBy': 'Who, by role.',
  'DemandDecision/|approve/decidedAt': 'RFC 3339 in UTC.',
  'DemandDecision/|narrow/decidedBy': 'Who, by role.',
  'DemandDecision/|narrow/decidedAt': 'RFC 3339 in UTC.',
  'DemandDecision/|reject/decidedBy': 'Who, by role.',
  'DemandDecision/|reject/decidedAt': 'RFC 3339 in UTC.',
  DemandDecision: 'A decision that was taken.',
  'DemandDecisionRequest/|narrow': 'Approved as far as this scope reaches.',
  DemandDecisionRequest: 'What a reviewer decides.',
  'DemandPage/nextCursor': 'Absent on the last page.',
  DemandPage:
    'A stretch of a list. The next one is asked for with `cursor`, which means something to the platform alone and is good for an hour at least. What is added meanwhile may come or not; what was there all the while comes once.',
  'DemandScope/from': 'RFC 3339 in UTC; `from` is in it, `to` is not.',
  DemandScope: 'What a demand reaches: everything that fits all of what is stated.',
  'DemandSubmission/kind': 'By which legal process records are demanded.\n\nSee 18 USC 2703.',
  'DemandSubmission/agency/jurisdiction': 'State or federal body whose law it acts under: `US`, `US-TX` (ISO 3166).',
  'DemandSubmission/reference': "The agency's number of the matter.",
  'DemandSubmission/authority': 'The law it is issued under, as cited in it.',
  'DemandSubmission/returnOn': 'RFC 3339 full date by which production is demanded.',
  'DemandSubmission/isUrgent': 'Whether calls go on, so that review should not wait.',
  'DemandSubmission/documentSha256': 'SHA-256 of the PDF, lower-case hex.',
  DemandSubmission: 'What an agency sends beside the PDF of its demand.',
  'DoNotOriginateEntry/numbers': 'A whole number, or the digits that a block of numbers begins with.',
  'DoNotOriginateEntry/reason':
    'Why no call can rightly come from a number.\n\nSee 47 CFR 64.1200(k)(1), (o).\n\n- `subscriber-request`: Its subscriber only takes calls, and asked for it.\n- `invalid`: Not a number of the North American Numbering Plan.\n- `unallocated`: Of a block that no provider has.\n- `unused`: A provider has it and no subscriber.',
  'DoNotOriginateEntry/subscriber': 'Whom the number belongs to, where that is public.',
  'DoNotOriginateEntry/validFrom': 'From when it holds, RFC 3339 in UTC.',
  'DoNotOriginateEntry/validTo':
    'From when it holds no longer; an entry that was taken back stays in the list with this for 30 days.',
  'DoNotOriginateEntry/updatedAt': 'When the entry was last changed: what `changedSince` is held against.',
  DoNotOriginateEntry: 'Numbers from which no call is to be let through.',
  'DoNotOriginateEntryPage/nextCursor': 'Absent on the last page.',
  DoNotOriginateEntryPage:
    'A stretch of a list. The next one is asked for with `cursor`, which means something to the platform alone and is good for an hour at least. What is added meanwhile may come or not; what was there all the while comes once.',
  'EvidencePackSummary/createdAt': 'RFC 3339 in UTC.',
  'EvidencePackSummary/manifestSha256': 'SHA-256 of the manifest of the pack, lower-case hex.',
  'EvidencePackSummary/leafIndex': 'Place of the pack in the log, from 0.',
  'EvidencePackSummary/checkpoint': 'The latest checkpoint that covers it.',
  'EvidencePackSummary/files/*/name': 'Path within the pack, `/` between its parts.',
  'EvidencePackSummary/files/*/role': 'What a file of an evidence pack is for.',
  'EvidencePackSummary/files/*/sha256': 'SHA-256 of the bytes, lower-case hex.',
  EvidencePackSummary:
    'What an evidence pack holds, without the files themselves: enough for whoever gets the pack later to see that nothing in it has changed since the answer.',
  'FccNotice/state': 'Where a notice stands.',
  'FccNotice/reference': "The Commission's own number of it.",
  'FccNotice/issuedAt': 'RFC 3339 in UTC.',
  'FccNotice/mitigationDueAt': 'By when details of mitigation are due: 48 hours.',
  'FccNotice/reportDueAt': 'By when the report of the investigation is due: 14 days.',
  'FccNotice/description': 'What is suspected, and why it is illegal.',
  'FccNotice/calls': 'Calls that stand for the traffic.',
  FccNotice: "The Commission's notice of suspected illegal traffic to a provider.\n\nSee 47 CFR 64.1200(n)(2).",
  'FccNoticePage/nextCursor': 'Absent on the last page.',
  FccNoticePage:
    'A stretch of a list. The next one is asked for with `cursor`, which means something to the platform alone and is good for an hour at least. What is added meanwhile may come or not; what was there all the while comes once.',
  'LogCheckpoint/rootSha256': 'Merkle tree hash, lower-case hex.',
  'LogCheckpoint/signedAt': 'RFC 3339 in UTC.',
  LogCheckpoint: "What stands in a provider's tamper-evident log at some size of it.\n\nSee RFC 9162 section 2.1.",
  'NoticeIssuedEvent/id': 'Unique with `source`; also the `webhook-id` and the id of the stream.',
  'NoticeIssuedEvent/source': 'URI reference of the platform.',
  'NoticeIssuedEvent/subject': 'What it is about, the id of the request, traceback, notice or other.',
  'NoticeIssuedEvent/time': 'RFC 3339 in UTC.',
  NoticeIssuedEvent:
    'The Commission notifies a provider of suspected illegal traffic. Details of mitigation are due in 48 hours, a report in 14 days.',
  'NoticeResponse/responseId': "The provider's own, so that the same response sent again is none more.",
  'NoticeResponse/respondedAt': 'RFC 3339 in UTC.',
  'NoticeResponse/measures/*/takenAt': 'RFC 3339 in UTC.',
  NoticeResponse: 'What a provider says to a notice: first what it did, then what it found.',
  PlatformEvent: 'An event of a kind that is known, with its data.',
  'PlatformEventEnvelope/id': 'Unique with `source`; also the `webhook-id` and the id of the stream.',
  'PlatformEventEnvelope/source': 'URI reference of the platform.',
  'PlatformEventEnvelope/subject': 'What it is about, the id of the request, traceback, notice or other.',
  'PlatformEventEnvelope/time': 'RFC 3339 in UTC.',
  PlatformEventEnvelope:
    'An event as it is posted to a webhook and sent over the stream: the same JSON. It may come twice and out of order; `id` tells repeats, and what is asked of the platform again is true.\n\nSee CloudEvents 1.0.2 section 3, CloudEvents JSON Event Format 1.0.2 section 3.',
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
  'Production/decisionId': 'The decision that it is made under.',
  'Production/state': 'Where a production stands.',
  'Production/createdAt': 'RFC 3339 in UTC.',
  'Production/expiresAt': 'Until when its files can be fetched.',
  'Production/manifestName': 'Name of the file that lists all others with their hashes.',
  'Production/certificateName':
    "Name of the custodian's certificate.\n\nSee Federal Rules of Evidence 902(11), 902(13).",
  'Production/files/*/name': 'Last part of its address below the production.',
  'Production/files/*/sha256': 'SHA-256 of the bytes, lower-case hex.',
  'Production/files/*/recordClass':
    "Absent for manifests, certificates and the like.\n\nClasses of what can be demanded. They stay apart, since each has its own legal edge.\n- `traceback-records`: requests, answers, outcomes\n- `call-records`: of providers' live streams\n- `customer-records`: what providers said of their customers\n- `app-reports`: of robocall-blocking applications\n- `recordings`: content of calls. 18 USC 2702(a)",
  Production: 'What is handed over to an agency under a reviewed demand.',
  'ProductionReadyEvent/id': 'Unique with `source`; also the `webhook-id` and the id of the stream.',
  'ProductionReadyEvent/source': 'URI reference of the platform.',
  'ProductionReadyEvent/subject': 'What it is about, the id of the request, traceback, notice or other.',
  'ProductionReadyEvent/time': 'RFC 3339 in UTC.',
  ProductionReadyEvent: 'A production can be fetched. Lists its files with their hashes.',
  'ProviderEntry/frn': 'FCC Registration Number, ten digits.',
  'ProviderEntry/country': 'ISO 3166-1 alpha-2.',
  'ProviderEntry/implementation': 'How far STIR/SHAKEN is in place, as filed.\n\nSee 47 CFR 64.6305(d).',
  'ProviderEntry/ocns': 'Operating Company Numbers, four characters each.',
  'ProviderEntry/principals/*/role': '`owner`, `officer`, `director` or what else was filed.',
  'ProviderEntry/affiliates/*/relation': '`parent`, `subsidiary`, `common-owner` or what else was filed.',
  'ProviderEntry/certified24HoursOn':
    'When it certified that it answers tracebacks within 24 hours, RFC 3339 full date; absent where it did not.',
  'ProviderEntry/removal/removedOn': 'RFC 3339 full date.',
  'ProviderEntry/removal/orderUrl': 'Where the order can be read.',
  'ProviderEntry/filingUpdatedOn': 'When the filing was last changed, RFC 3339 full date.',
  'ProviderEntry/updatedAt': 'When this entry was last changed, RFC 3339 in UTC.',
  ProviderEntry:
    'A voice service provider in the registry: what it filed in the Robocall Mitigation Database, and its other identifiers.\n\nSee 47 CFR 64.6305.',
  'ProviderEntryPage/nextCursor': 'Absent on the last page.',
  ProviderEntryPage:
    'A stretch of a list. The next one is asked for with `cursor`, which means something to the platform alone and is good for an hour at least. What is added meanwhile may come or not; what was there all the while comes once.',
  'ProviderReference/providerId': 'In the registry of the traceback platform, where both sides have it.',
  'ProviderReference/name': 'Business name, as it is filed or as it was stated.',
  'ProviderReference/ocn': 'Operating Company Number, four characters.',
  'ProviderReference/frn': 'FCC Registration Number, ten digits.',
  ProviderReference:
    'A voice service provider as whoever writes knows it: by its name, and by as many identifiers as there are.',
  'ProviderScorecard/from': 'Stretch that is counted, RFC 3339 in UTC; `from` is in it, `to` is not.',
  'ProviderScorecard/requests/unanswered': 'Due, and not answered.',
  'ProviderScorecard/requests/open': 'Not due yet.',
  'ProviderScorecard/answers': 'Last answers by what they say; arms that did not come are left out.',
  'ProviderScorecard/medianAnswerSeconds': 'From issue to answer, seconds; absent where nothing was answered.',
  'ProviderScorecard/disputed': "Answers that a neighbour's answer contradicts, where evidence did not decide.",
  'ProviderScorecard/concerns/*/concern':
    'What makes a provider look non-cooperative, as the attorneys general of 51 jurisdictions listed it in 2020:\n- `not-participating`: requests go unanswered or refused\n- `repeated-origin`: illegal calls begin or are taken in there again and again\n- `regular-point-of-entry`: foreign illegal calls regularly come in there\n- `insufficient-records`: records are repeatedly missing, gone or ambiguous',
  'ProviderScorecard/concerns': 'Each with the count that gave rise to it.',
  'ProviderScorecard/excluded/*/reason':
    "Why a request is left out of all rates: withdrawn, the platform's own outage, or contested by the provider with reason.",
  'ProviderScorecard/excluded': 'Requests that are left out of all rates, by why.',
  'ProviderScorecard/rates/*/concern':
    'What makes a provider look non-cooperative, as the attorneys general of 51 jurisdictions listed it in 2020:\n- `not-participating`: requests go unanswered or refused\n- `repeated-origin`: illegal calls begin or are taken in there again and again\n- `regular-point-of-entry`: foreign illegal calls regularly come in there\n- `insufficient-records`: records are repeatedly missing, gone or ambiguous',
  'ProviderScorecard/rates/*/hits': 'Requests that speak for it.',
  'ProviderScorecard/rates/*/trials': 'Requests that could have.',
  'ProviderScorecard/rates/*/rate': '`hits` of `trials`; 0 where there are none.',
  'ProviderScorecard/rates/*/lower': 'Wilson score interval, 95 %.',
  'ProviderScorecard/rates/*/campaigns': 'Campaigns that the requests which speak for it belong to.',
  'ProviderScorecard/rates/*/threshold': 'Share above which the lower bound has to be for a concern.',
  'ProviderScorecard/rates/*/isTooFew': 'Too few requests to say anything: never a concern.',
  'ProviderScorecard/rates/*/qValue':
    'Of the exact test, after Benjamini and Hochberg over all providers of that time; absent where there were too few requests.',
  'ProviderScorecard/rates': 'What the concerns rest on, those that are none too.',
  'ProviderScorecard/answerTimes/quantiles': 'Seconds within which that share of the answers was there.',
  'ProviderScorecard/answerTimes/histogram':
    'Answers that took at most so long and longer than those before; the last entry has no upper end.',
  'ProviderScorecard/answerTimes': 'Absent where nothing was answered.',
  'ProviderScorecard/contests/pending': 'Counted and marked until it is decided.',
  'ProviderScorecard/contests/upheld': 'Left out of all rates.',
  ProviderScorecard:
    'How a provider answers, over a stretch of time: rates and reasons, never a yes or no.\n\nSee TRACED Act section 13(d); 47 CFR 64.1203.',
  'RecordBatchAnswer/batchId':
    'The id of the batch that is answered, so that no stray answer of a proxy is taken for one.',
  'RecordBatchAnswer/rejected/*/code': 'Why, as a word.',
  'RecordBatchAnswer/rejected/*/detail': 'Why, for people; no telephone numbers.',
  'RecordBatchAnswer/rejected': '`accepted` and these together are the records of the batch.',
  RecordBatchAnswer:
    'What the receiver says once it has stored what it took: partial success as in OTLP. What it had already counts as accepted.\n\nSee https://opentelemetry.io/docs/specs/otlp/#partial-success-1.',
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
  'RotatedWebhookSecret/previousSecretEndsAt': 'RFC 3339 in UTC.',
  RotatedWebhookSecret: 'A new secret. Until the old one ends both sign, one signature beside the other.',
  'SharedEvidence/checkedAtMs': "When the verdict was given, milliseconds since the epoch, by the verifier's clock.",
  'SharedEvidence/profile': 'The profile of the policy that the call was judged by.',
  'SharedEvidence/freshnessSeconds': 'How old, or how far ahead, an `iat` may have been, seconds.',
  'SharedEvidence/trustStore': 'Which set of trust anchors and CRLs was used: the id of the trust store.',
  'SharedEvidence/verstat':
    'What the verdict was.\n\nThe `verstat` value that a verification service reports for a call.\n\nSee 3GPP TS 24.229 section 7.2A.20, ATIS-1000082.',
  'SharedEvidence/surplusHeaders': 'How many further Identity headers were not looked at; absent when all were.',
  'SharedEvidence/seenCount': 'How often this verifier has seen the call key, this time included; 1 for the first.',
  'SharedEvidence/firstSeenMs': 'When this verifier first saw the call key, milliseconds since the epoch.',
  'SharedEvidence/passports/*/index': 'Index of the Identity header in the request, from 0.',
  'SharedEvidence/passports/*/ppt':
    'The PASSporT type: `shaken`, `div`, …; absent where it could not be read or the PASSporT has none.',
  'SharedEvidence/passports/*/status': '`ignored`: a type that was not verified.',
  'SharedEvidence/passports/*/x5u': 'URL of the certificate, as the Identity header gave it.',
  'SharedEvidence/passports/*/certificateSha256':
    'SHA-256 of the DER of the end-entity certificate that was used, lower-case hex.',
  'SharedEvidence/passports/*/trustAnchorSha256': 'SHA-256 of the trust anchor that the path ended in.',
  'SharedEvidence/passports/*/spc': 'Service Provider Code that the certificate speaks for, where it has exactly one.',
  'SharedEvidence/passports/*/iatSeconds': 'When the PASSporT says that it was issued, seconds since the epoch.',
  'SharedEvidence/passports/*/attestation':
    'The attest claim.\n\nAttestation level of a SHAKEN PASSporT: A full, B partial, C gateway.\n\nSee RFC 8588 section 4.',
  'SharedEvidence/passports/*/origId': 'The origid claim.',
  'SharedEvidence/passports/*/passed':
    'Names of the steps that passed, in the order they were made. Steps in neither list did not apply or were not reached.',
  'SharedEvidence/passports/*/exceptions/*/step': 'Name of the step, as listed by `VERIFICATION_STEPS`.',
  'SharedEvidence/passports/*/exceptions/*/result':
    '`failed`; `unknown` (could not be checked); `noted` (a deviation that policy lets pass).',
  'SharedEvidence/passports/*/exceptions/*/reason': 'The failure reason or note.',
  'SharedEvidence/callKey':
    'Pseudonym of the call key: the same for the same PASSporT within a rotation id of the carrier.',
  SharedEvidence: '`VerdictEvidence` without numbers and without what is made of them.',
  'SharedRecord/format': 'Marks the form; a reader refuses others.',
  'SharedRecord/sharing/policyId': "Name and version of the carrier's sharing policy.",
  'SharedRecord/sharing/form':
    '`pseudonymous`: called number, leg and call group are pseudonyms, other members as the policy has it; `full`: the called number is shown.',
  'SharedRecord/sharing/rotationId':
    'Which key the pseudonyms were made with; pseudonyms of different rotation ids cannot be compared.',
  'SharedRecord/sharing/suspicion':
    'How the carrier judged the call, where it did: score 0 to 1 and the names of the signals.',
  'SharedRecord/source/id': 'Name of the switch, or its pseudonym.',
  'SharedRecord/source/format': 'Layouts in which switches write down their calls, one reader each.',
  'SharedRecord/source/sha256':
    'Only in the full form: the row holds the called number, and a hash lets it be guessed.',
  'SharedRecord/legId': 'Only in the full form: some switches name legs by the number called.',
  'SharedRecord/callGroupId':
    'In the pseudonymous form, and where it holds the customer, a pseudonym, which legs of one call share.',
  'SharedRecord/time/written':
    '`utc`: written in UTC or with an offset; `local`: written in local time and brought to UTC by the zone that was declared; `observed`: the clock of whoever took the call or its packets down.',
  'SharedRecord/time/zone': 'IANA name of the zone of a local time.',
  'SharedRecord/time/resolutionUs':
    'Smallest step of the times of the source, microseconds: 1,000,000 where seconds are written.',
  'SharedRecord/time/otherInviteAtUs':
    'The other instant that the local time may mean, microseconds since the epoch: it was written in the hour that comes twice.',
  'SharedRecord/calling/|whole/asWritten': 'As the switch wrote it, prefixes and all.',
  'SharedRecord/calling/|whole/tn': 'In canonical form; absent where it is none.',
  'SharedRecord/calling/|pseudonym/pseudonym': '32 lower-case hexadecimal digits.',
  'SharedRecord/calling/|pseudonym/npaNxx':
    'Area code and exchange of a North American number, six digits; absent for others, of which nothing is shown.',
  'SharedRecord/calling': 'Who calls, as far as the carrier says it.',
  'SharedRecord/asserted/|whole/asWritten': 'As the switch wrote it, prefixes and all.',
  'SharedRecord/asserted/|whole/tn': 'In canonical form; absent where it is none.',
  'SharedRecord/asserted/|pseudonym/pseudonym': '32 lower-case hexadecimal digits.',
  'SharedRecord/asserted/|pseudonym/npaNxx':
    'Area code and exchange of a North American number, six digits; absent for others, of which nothing is shown.',
  'SharedRecord/asserted': 'Who calls, as far as the carrier says it.',
  'SharedRecord/called/|whole/asWritten': 'As the switch wrote it, prefixes and all.',
  'SharedRecord/called/|whole/tn': 'In canonical form; absent where it is none.',
  'SharedRecord/called/|whole/translatedTn':
    'Where the call was sent on to, in canonical form, where that is another number: a ported, forwarded or toll-free number.',
  'SharedRecord/called/|whole/lrn': 'Location routing number that stood in the place of, or beside, the number called.',
  'SharedRecord/called/|whole/techPrefix': 'Technical prefix that stood before the number, such as `1234#`.',
  'SharedRecord/called/|pseudonym/pseudonym': '32 lower-case hexadecimal digits.',
  'SharedRecord/called/|pseudonym/npaNxx':
    'Area code and exchange of a North American number, six digits; absent for others, of which nothing is shown.',
  'SharedRecord/called': 'Who was called, as far as the carrier says it.',
  'SharedRecord/ingress/trunk': 'Name of the trunk, realm or peer, as the switch has it.',
  'SharedRecord/ingress/provider':
    'The provider on the other end, as the carrier has declared it for the trunk or address.',
  'SharedRecord/ingress/address':
    'Signalling address of the other end, `192.0.2.1:5060` or `[2001:db8::1]:5060`; without a port where none is known.',
  'SharedRecord/ingress/callId': 'SIP Call-ID on that side.',
  'SharedRecord/ingress': 'Trunk and Call-ID may be pseudonyms, and every member may be withheld.',
  'SharedRecord/egress/trunk': 'Name of the trunk, realm or peer, as the switch has it.',
  'SharedRecord/egress/provider':
    'The provider on the other end, as the carrier has declared it for the trunk or address.',
  'SharedRecord/egress/address':
    'Signalling address of the other end, `192.0.2.1:5060` or `[2001:db8::1]:5060`; without a port where none is known.',
  'SharedRecord/egress/callId': 'SIP Call-ID on that side.',
  'SharedRecord/disposition': 'How a call went.',
  'SharedRecord/release/sipStatus': 'Final SIP status, where there was one.',
  'SharedRecord/release/q850Cause': 'Q.850 cause.',
  'SharedRecord/release/cause': "The switch's own word for it.",
  'SharedRecord/release/party': 'Who ended it, where the source says.',
  'SharedRecord/received/verstat':
    'The `verstat` value that a verification service reports for a call.\n\nSee 3GPP TS 24.229 section 7.2A.20, ATIS-1000082.',
  'SharedRecord/received/attestation':
    'Attestation level of a SHAKEN PASSporT: A full, B partial, C gateway.\n\nSee RFC 8588 section 4.',
  'SharedRecord/signed/attestation':
    'Attestation level of a SHAKEN PASSporT: A full, B partial, C gateway.\n\nSee RFC 8588 section 4.',
  'SharedRecord/signed/basis': 'What the attestation rests on, in the words of the attestation policy.',
  SharedRecord:
    'A `CallRecord` as it left the carrier: what the policy withholds is not there, what it veils is a pseudonym, and `sharing` says which. `recordId` is that of the record, so that a traceback of a shared call starts at the carrier, whose answer names the number. Never holds the customer, nor the raw bytes of the switch. Plain JSON.',
  'SignedReceipt/receipt':
    'Compact JWS over the JSON of an `AnswerReceipt`, `typ` `answer-receipt+jws`, under a key of the platform.',
  SignedReceipt: 'A receipt as it crosses the wire.',
  'StatedTime/asWritten': 'As it stood in the request, `10/23/2026 3:41 PM EDT`.',
  'StatedTime/local':
    'Date and time of day without an offset: `2026-10-23T15:41`, with seconds and a fraction where they were stated. RFC 3339 section 5.6',
  'StatedTime/zone':
    'IANA name (`America/New_York`), offset from UTC (`-04:00`) or `UTC`; absent where none was stated.',
  'StatedTime/precision': 'Smallest step that was stated.\n\nSmallest step of a stated time.',
  StatedTime:
    'A moment as somebody stated it: what was written, and the wall clock that it means. Rarely the instant at which the INVITE arrived: requests carry minutes, in a zone that is often not UTC.',
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
  'VerdictEvidence/format': 'Marks the form; a reader refuses others.',
  'VerdictEvidence/checkedAtMs': "When the verdict was given, milliseconds since the epoch, by the verifier's clock.",
  'VerdictEvidence/profile': 'The profile of the policy that the call was judged by.',
  'VerdictEvidence/freshnessSeconds': 'How old, or how far ahead, an `iat` may have been, seconds.',
  'VerdictEvidence/trustStore': 'Which set of trust anchors and CRLs was used: the id of the trust store.',
  'VerdictEvidence/verstat':
    'What the verdict was.\n\nThe `verstat` value that a verification service reports for a call.\n\nSee 3GPP TS 24.229 section 7.2A.20, ATIS-1000082.',
  'VerdictEvidence/surplusHeaders': 'How many further Identity headers were not looked at; absent when all were.',
  'VerdictEvidence/seenCount': 'How often this verifier has seen the call key, this time included; 1 for the first.',
  'VerdictEvidence/firstSeenMs': 'When this verifier first saw the call key, milliseconds since the epoch.',
  'VerdictEvidence/request/target': 'Number of the Request-URI, where it was given.',
  'VerdictEvidence/request/dateSeconds': 'The Date header, seconds since the epoch.',
  'VerdictEvidence/request':
    'The values of the request that claims were compared with, in canonical form, and where they were taken from.',
  'VerdictEvidence/passports/*/index': 'Index of the Identity header in the request, from 0.',
  'VerdictEvidence/passports/*/ppt':
    'The PASSporT type: `shaken`, `div`, …; absent where it could not be read or the PASSporT has none.',
  'VerdictEvidence/passports/*/status': '`ignored`: a type that was not verified.',
  'VerdictEvidence/passports/*/x5u': 'URL of the certificate, as the Identity header gave it.',
  'VerdictEvidence/passports/*/certificateSha256':
    'SHA-256 of the DER of the end-entity certificate that was used, lower-case hex.',
  'VerdictEvidence/passports/*/trustAnchorSha256': 'SHA-256 of the trust anchor that the path ended in.',
  'VerdictEvidence/passports/*/spc': 'Service Provider Code that the certificate speaks for, where it has exactly one.',
  'VerdictEvidence/passports/*/iatSeconds': 'When the PASSporT says that it was issued, seconds since the epoch.',
  'VerdictEvidence/passports/*/attestation':
    'The attest claim.\n\nAttestation level of a SHAKEN PASSporT: A full, B partial, C gateway.\n\nSee RFC 8588 section 4.',
  'VerdictEvidence/passports/*/origId': 'The origid claim.',
  'VerdictEvidence/passports/*/passed':
    'Names of the steps that passed, in the order they were made. Steps in neither list did not apply or were not reached.',
  'VerdictEvidence/passports/*/signingInputSha256':
    'SHA-256 of the JWS signing input (header.payload), lower-case hex. Never of the token: its text and signature can be respelled.',
  'VerdictEvidence/passports/*/orig':
    'Who calls, as the PASSporT says: a number or a URI. Believed only where `status` is `passed`; so with all claims below.',
  'VerdictEvidence/passports/*/dest': 'Who is called, as the PASSporT says.',
  'VerdictEvidence/passports/*/div': 'The diverting number of a div PASSporT.',
  'VerdictEvidence/passports/*/exceptions/*/step': 'Name of the step, as listed by `VERIFICATION_STEPS`.',
  'VerdictEvidence/passports/*/exceptions/*/result':
    '`failed`; `unknown` (could not be checked); `noted` (a deviation that policy lets pass).',
  'VerdictEvidence/passports/*/exceptions/*/reason': 'The failure reason or note.',
  'VerdictEvidence/passports/*/exceptions/*/expected':
    'What the rule asked for, or the value on the other side of the comparison.',
  'VerdictEvidence/passports/*/exceptions/*/actual': 'What was found.',
  'VerdictEvidence/passports/*/exceptions': 'Steps that failed, could not be decided or left a note.',
  'VerdictEvidence/passports': 'One per Identity header that was looked at, in the order of the request.',
  'VerdictEvidence/callKey':
    'Same call, same key: SHA-256 of the signing input in its canonical spelling (RFC 8225 section 9), lower-case hex, so that respelled tokens and twin signatures do not differ. Where the PASSporT was spelled so, it is its `signingInputSha256`.',
  VerdictEvidence:
    'What a verification service looked at and found, compact enough to be kept with every call record and complete enough that a traceback answer can be built from it. Plain JSON.',
  'WebhookEndpoint/eventTypes': 'Absent: all.',
  'WebhookEndpoint/disabledReason':
    '`gone`: it answered 410; `failing`: nothing was delivered for days.\n\nWhy nothing is posted to an endpoint any longer.',
  'WebhookEndpoint/createdAt': 'RFC 3339 in UTC.',
  WebhookEndpoint:
    'An address of the calling organization that events are posted to.\n\nSee https://www.standardwebhooks.com.',
  'WebhookEndpointCreation/url': '`https:`; redirects are not followed.',
  'WebhookEndpointCreation/eventTypes': 'Kinds of events; all that the caller may see where absent.',
  WebhookEndpointCreation: 'Where the platform is to post events.',
  'WebhookEndpointPage/nextCursor': 'Absent on the last page.',
  WebhookEndpointPage:
    'A stretch of a list. The next one is asked for with `cursor`, which means something to the platform alone and is good for an hour at least. What is added meanwhile may come or not; what was there all the while comes once.',
  WebhookReplay: 'What will be posted once more.',
  'WebhookReplayRequest/since': 'From when, RFC 3339 in UTC.',
  'WebhookReplayRequest/until': 'Up to when; now where absent.',
  WebhookReplayRequest: 'Which events are to be posted once more, in their order and under their old ids.',
};
