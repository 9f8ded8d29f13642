// Written by `npm run contract`: what the docstrings of the interfaces say, by place. Change it there.

/** What members of bodies of evidence mean. */
export const EVIDENCE_DESCRIPTIONS: Readonly<Record<string, string>> = {
  'EvidencePackSummary/createdAt': 'RFC 3339 in UTC.',
  'EvidencePackSummary/manifestSha256': 'SHA-256 of the manifest of the pack, lower-case hex.',
  'EvidencePackSummary/leafIndex': 'Place of the pack in the log, from 0.',
  'EvidencePackSummary/checkpoint': 'The latest checkpoint that covers it.',
  'EvidencePackSummary/files/*/name': 'Path within the pack, `/` between its parts.',
  'EvidencePackSummary/files/*/role': 'What a file of an evidence pack is for.',
  'EvidencePackSummary/files/*/sha256': 'SHA-256 of the bytes, lower-case hex.',
  EvidencePackSummary:
    'What an evidence pack holds, without the files themselves: enough for whoever gets the pack later to see that nothing in it has changed since the answer.',
  'LogCheckpoint/rootSha256': 'Merkle tree hash, lower-case hex.',
  'LogCheckpoint/signedAt': 'RFC 3339 in UTC.',
  LogCheckpoint: "What stands in a provider's tamper-evident log at some size of it.\n\nSee RFC 9162 section 2.1.",
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
  'SignedReceipt/receipt':
    'Compact JWS over the JSON of an `AnswerReceipt`, `typ` `answer-receipt+jws`, under a key of the platform.',
  SignedReceipt: 'A receipt as it crosses the wire.',
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
};
