import type { DemandRecordClass } from '@hopback/sdk/internal';

/** A column of a file of a class, in the order of the file. */
export interface Column {
  readonly name: string;
  readonly meaning: string;
}

const column = (name: string, meaning: string): Column => ({ name, meaning });
const CAMPAIGNS = column('campaign_ids', 'Campaigns of the demand that it belongs to, separated by spaces.');
const NPA_NXX = column(
  'called_npa_nxx',
  'Area code and exchange of the number called, where the number itself was withheld.',
);
const PLACED_CALL = column(
  'placed_call_id',
  'Call that it is evidence of: the same in all records and reports of one call, so that different values are different calls. Records and reports that an earlier release stored have a value each where they are not joined; the package says how many.',
);
const PROVIDER = [
  column('provider_id', 'Provider, by its id in the registry of the platform.'),
  column('provider', 'Provider, by its name.'),
];

/** Columns of each class. Times are RFC 3339 in UTC; an empty field means that it was not stated. */
export const COLUMNS: Readonly<Record<DemandRecordClass, readonly Column[]>> = {
  'traceback-records': [
    column('kind', 'traceback: one call that was followed; request: one provider was asked; answer: what it said.'),
    column('traceback_id', 'Of the traceback that the row belongs to.'),
    column('call_at', 'When the call was made; a stretch where it was stated to the minute or less exactly.'),
    column(
      'time_basis',
      "answer: by a provider's record; stated: as the request stated it; opened: no time of the call is known.",
    ),
    column('calling', 'Number of the caller as it was stated or found; it may be spoofed.'),
    column('called', 'Number called.'),
    CAMPAIGNS,
    column('state', 'Of the traceback or the request.'),
    column('outcome', 'What the traceback has come to.'),
    column('hop', 'Place of the provider on the way back, 1 for where it began.'),
    column('request_id', 'Of the request.'),
    column('answer_id', 'Of the answer.'),
    ...PROVIDER,
    column('issued_at', 'When the traceback was opened or the provider asked.'),
    column('due_at', 'When an answer was due.'),
    column('answered_at', 'When it answered.'),
    column('arm', 'What it answered, as a word.'),
    column('revision', '1 for its first answer to the request.'),
    column('upstream', 'From whom it says it had the call.'),
    column('reason', 'Why it refused, in its words.'),
    column('customer_action', 'What it says it did about whoever sent the call.'),
    column('started_at', 'When the call began by its record.'),
    column('ended_at', 'When the call ended by its record.'),
    column('disposition', 'How the call went by its record.'),
    column('comment', 'Its comment; where it speaks of a customer it is among the customer records.'),
  ],
  'call-records': [
    PLACED_CALL,
    PROVIDER[0] ?? column('provider_id', ''),
    column('record_id', 'Of the record, by the carrier that sent it.'),
    column('invite_at', 'When the call request arrived at the carrier.'),
    column('answered_at', 'When the call was answered.'),
    column('ended_at', 'When it ended.'),
    column('duration_s', 'Seconds from answer to end; empty where it was not answered, or its end is not on record.'),
    column('calling', 'Number of the caller as the carrier showed it.'),
    column('called', 'Number called, where the carrier showed it.'),
    NPA_NXX,
    column('disposition', 'How the call went.'),
    column('ingress_provider', 'From whom the carrier had the call, as it declares it.'),
    column('egress_provider', 'To whom it gave the call.'),
    column('attestation', 'Of the signature that it received: A, B or C.'),
    column('signer_spc', 'Service Provider Code of the certificate that signed.'),
    column('orig_id', 'origid of the signature. RFC 8588'),
    column('sharing_form', 'pseudonymous: numbers called were withheld by the carrier; full: they were not.'),
    column('received_at', 'When the platform received the record.'),
    CAMPAIGNS,
  ],
  'customer-records': [
    column('traceback_id', 'Of the traceback.'),
    column('request_id', 'Of the request that was answered.'),
    column('answer_id', 'Of the answer that speaks of the customer.'),
    ...PROVIDER,
    column('answered_at', 'When it answered.'),
    column('customer_id', 'Of the customer at the provider.'),
    column('name', 'Of the customer, as the provider states it.'),
    column('email', 'Of the customer.'),
    column('telephone', 'Of the customer.'),
    column('postal_address', 'Of the customer.'),
    column('country', 'Of the customer, ISO 3166-1.'),
    column('know_your_customer', 'What the provider did to know its customer, in its words.'),
    column('action', 'What it did about the customer.'),
    column('comment', 'Its comment.'),
  ],
  'app-reports': [
    PLACED_CALL,
    column('app_id', 'Application, by its id on the platform.'),
    column('report_id', 'Of the report, by the application.'),
    column('app', 'Application, by its name.'),
    column('called_at', "When the call came in by the telephone's clock."),
    column('calling', 'Number of the caller as the telephone showed it.'),
    column('called', 'Number called, where the application shows it.'),
    NPA_NXX,
    column('caller_name', 'Name that came with the call.'),
    column('verstat', 'What the verification of the call came to.'),
    column('served_by', 'Provider that serves the subscriber, as far as the application knows.'),
    column('action', 'What the application did.'),
    column('reason', 'Why.'),
    column('duration_s', 'Seconds that the call lasted.'),
    column('has_transcript', 'Whether what was said is on record: content, a class of its own.'),
    column('has_fingerprint', 'Whether a fingerprint of the audio is on record.'),
    CAMPAIGNS,
  ],
  recordings: [
    column('source', 'app-report: of one call that was reported; campaign: of some call of the campaign.'),
    column('source_id', 'Of the report or campaign.'),
    column('at', 'When the call was; of a campaign, its first and its last call.'),
    column('language', 'BCP 47.'),
    column('transcript', 'What was said.'),
    column('fingerprint_algorithm', 'Method of the audio fingerprint; the fingerprint itself is in the JSON file.'),
    column('fingerprint_duration_ms', 'Milliseconds of audio that it was made of.'),
    column('recording_sha256', 'SHA-256 of recordings, separated by spaces. The platform holds no audio.'),
    CAMPAIGNS,
  ],
};

/** Classes in the order in which they are produced. */
export const CLASS_ORDER: readonly DemandRecordClass[] = [
  'traceback-records',
  'customer-records',
  'call-records',
  'app-reports',
  'recordings',
];

/**
 * What the files of some classes hold, for whoever reads them: a line for each column, and how values are written. Never throws.
 * @param classes - that are in a production
 * @returns text of a Markdown file
 */
export function dataDictionary(classes: readonly DemandRecordClass[]): string {
  const parts = CLASS_ORDER.filter((one) => classes.includes(one)).map((one) => {
    const rows = COLUMNS[one].map(({ name, meaning }) => `| ${name} | ${meaning} |`);
    return [`## ${one}`, '', '| column | meaning |', '| --- | --- |', ...rows, ''].join('\n');
  });
  return [HEAD, ...parts].join('\n');
}

const HEAD = `# Data dictionary

Of each class there are files in CSV (RFC 4180, UTF-8, a line of names in each file) and in JSON (an array, a line for each item), in parts where one
would be too long. The JSON has everything; the CSV has the columns below. Times are RFC 3339 in UTC. Telephone numbers are digits with the
country code and without a plus sign: read them as text. A field of text that a spreadsheet would take for a formula has an apostrophe in front in
the CSV, and none in the JSON. An empty field was not stated. Classes are kept apart, and content of calls stands in \`recordings\` alone.
`;
