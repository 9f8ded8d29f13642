// Written by `npm run contract`: what the docstrings of the interfaces say, by place. Change it there.

/** What members of bodies of campaigns mean. */
export const CAMPAIGNS_DESCRIPTIONS: Readonly<Record<string, string>> = {
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
  'Campaign/observedCalls':
    'Calls that were placed and of which at least one record or report came, each counted once.',
  'Campaign/carrierRecords':
    'Records of carriers that the calls were counted from: each carrier on the way of a call may have one.',
  'Campaign/appReports': 'Reports of applications that the calls were counted from.',
  'Campaign/callingNumbers': 'Different numbers that called.',
  'Campaign/transcript': 'What is said, as one call had it.',
  'Campaign/signals': 'Signals that hold it together, as words: `same-script`, `sequential-dialling`.',
  'Campaign/providers/*/role': 'Which part a provider has in a campaign, as tracebacks found it.',
  'Campaign/providers/*/tracebacks': 'Tracebacks in which it had that part.',
  'Campaign/providers': 'By how many tracebacks, most first.',
  'Campaign/class': 'Kind of fraud, as a word: `government-impersonation`, `unknown`.',
  'Campaign/stateReason': 'Why it is in its state, as a word: `calls-came`, `no-calls`, `closed-by-analyst`.',
  'Campaign/stateSince': 'Since when it is in its state, RFC 3339 in UTC.',
  'Campaign/callsPerHour': 'Calls an hour at `updatedAt`, of those on record.',
  'Campaign/estimatedVolume/calls': 'Calls, or their estimate.',
  'Campaign/estimatedVolume/basis':
    "`observed`: no more is known than the calls on record; `capture-recapture`: of how many calls in reports there are carriers' records too, by Chapman's estimate.",
  'Campaign/estimatedVolume/recorded': "What it was reckoned from: calls on carriers' records.",
  'Campaign/estimatedVolume/reported': 'Calls in reports of applications.',
  'Campaign/estimatedVolume/both': 'Calls in both.',
  'Campaign/estimatedVolume': 'How many calls it has made in all, as far as that can be told.',
  'Campaign/reasons/*/reason': '`same-script`, `same-recording`, `neighbour-spoofing`, `same-signer`.',
  'Campaign/reasons/*/calls': 'Of how many calls that holds.',
  'Campaign/reasons': 'Why calls belong to it; most calls first.',
  'Campaign/signers/*/calls': 'How many it signed.',
  'Campaign/signers': 'Who signed its calls; most calls first.',
  'Campaign/attestations/*/attestation':
    '`failed`: the signature did not fit the call; `none`: there was no signature, or it was not looked at.',
  'Campaign/attestations/*/calls': 'How many came so.',
  'Campaign/attestations': 'With which attestation its calls came; most calls first.',
  'Campaign/entryPoints/*/basis':
    'Tracebacks that ended there; its signature on calls; or that carriers had calls from it. The first is the surest.',
  'Campaign/entryPoints/*/count': 'Tracebacks or calls that say so.',
  'Campaign/entryPoints': 'For agencies and the traceback group.',
  'Campaign/calledAreas/*/areaCode': 'Area code of the numbers called, three digits.',
  'Campaign/calledAreas/*/calls': 'How many went there.',
  'Campaign/calledAreas': 'Areas that were called; most calls first.',
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
};
