import type { CandidateLack } from './weigh-candidates.js';

/** Why no call is one that a machine decides on, and why no machine says that there was none. */
export const DOUBTS = {
  several: 'Several calls are consistent with everything that was stated.',
  possible: 'Other calls could be meant: their records lack what would tell them apart.',
  contradicted: 'No call is consistent with everything that was stated.',
  sentElsewhere: 'The only call that is consistent with what was stated was not sent to the provider that named us.',
  alike: 'Calls to the number were found, and more than one thing that was stated speaks against each.',
  cut: 'There were more records than one look-up reads.',
  leftOut: 'The stated local time does not exist.',
  noZone: 'No zone was stated, and none is configured.',
  gap: 'Records of that time are missing: another call may have been meant.',
  notRetained: 'Some records of that time have been removed: another call may have been meant.',
  notKept: 'Some records of that time have been removed: the call may be among them.',
  notGlobal: 'The number called that was stated is no full telephone number: it may be on record in another form.',
  notByCalled:
    'It could not be looked for by the number called, and an identifier may be that of another hop or of several calls.',
  tollFree: 'The number called is toll-free, and who called cannot be looked for: it may be on record under another.',
  noRecord: 'No record has the record id that was stated.',
} as const;

/** What it means that something is not known of a call. */
export const LACKS: Readonly<Record<CandidateLack, string>> = {
  called: 'The number called is not on record.',
  'called-in-full': 'Of the number called only the routing number is on record, or another form of it.',
  calling: 'The calling number that was stated is not on record.',
  'calling-in-full': 'The calling number on record may be another form of the one that was stated.',
  'call-id': 'The Call-ID that was stated is not on record, and who called is not known.',
  origid: 'The origid that was stated is not on record.',
  attestation: 'The attestation on record is not the one that was stated.',
  spc: 'The code on record is not that of the signer that was stated.',
  downstream: 'Nobody knows to whom the call was sent, or who it was that named us.',
  ingress: 'The leg by which the call came in is not on record.',
  'own-upstream': 'The call came from another switch of the asked provider, whose record was not found.',
};
