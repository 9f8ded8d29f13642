// Written by `npm run contract`: what the docstrings of the interfaces say, by place. Change it there.

/** What members of bodies of records mean. */
export const RECORDS_DESCRIPTIONS: Readonly<Record<string, string>> = {
  'RecordBatchAnswer/batchId':
    'The id of the batch that is answered, so that no stray answer of a proxy is taken for one.',
  'RecordBatchAnswer/rejected/*/code': 'Why, as a word.',
  'RecordBatchAnswer/rejected/*/detail': 'Why, for people; no telephone numbers.',
  'RecordBatchAnswer/rejected': '`accepted` and these together are the records of the batch.',
  RecordBatchAnswer:
    'What the receiver says once it has stored what it took: partial success as in OTLP. What it had already counts as accepted.\n\nSee https://opentelemetry.io/docs/specs/otlp/#partial-success-1.',
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
};
