import type { CallRecord } from '../../contract/call-record.js';

/**
 * Version of the columns, which a Parquet file states as `hopback_record_columns`. It changes when a column gets another name, type or meaning; new
 * columns come behind the others and leave it as it is.
 */
export const RECORD_COLUMNS_VERSION = 1;

/** A column of the table `records`. */
export interface RecordColumn {
  readonly name: string;
  readonly type: 'VARCHAR' | 'TIMESTAMP' | 'INTEGER' | 'BIGINT' | 'DOUBLE' | 'JSON';
  /** Where its value stands in a record. A column without a path is derived. */
  readonly path?: string;
  readonly text: string;
  readonly valueOf: (record: CallRecord) => ColumnValue;
}

/** Times are whole microseconds. */
export type ColumnValue = string | number | undefined;

/** What a column of a type takes of a value; undefined where the value is of another type. */
function valueOfType(type: RecordColumn['type'], value: unknown): ColumnValue {
  if (type === 'VARCHAR') return typeof value === 'string' ? value : undefined;
  return Number.isSafeInteger(value) ? (value as number) : undefined;
}

type Members = Readonly<Record<string, unknown>>;

/** A column that has the member at a path. */
function column(name: string, path: string, text: string, type: RecordColumn['type'] = 'VARCHAR'): RecordColumn {
  const [first = '', second] = path.split('.');
  const valueOf = (record: CallRecord): ColumnValue => {
    const member = (record as Members)[first];
    return valueOfType(type, second === undefined ? member : (member as Members | undefined)?.[second]);
  };
  return { name, type, path, text, valueOf };
}

function seconds(fromUs: number | undefined, toUs: number | undefined): number | undefined {
  return fromUs === undefined || toUs === undefined ? undefined : (toUs - fromUs) / 1_000_000;
}

/** Every column but `rest`, in their order. Times are UTC. */
const TYPED_COLUMNS: readonly RecordColumn[] = [
  column('record_id', 'recordId', 'Id of the record, 32 hexadecimal digits.'),
  column('invite_at', 'inviteAtUs', 'When the INVITE arrived or the leg began.', 'TIMESTAMP'),
  column('answered_at', 'answeredAtUs', 'When the call was answered.', 'TIMESTAMP'),
  column('ended_at', 'endedAtUs', 'When it ended.', 'TIMESTAMP'),
  column(
    'other_invite_at',
    'time.otherInviteAtUs',
    'The other instant that a local time may mean which comes twice.',
    'TIMESTAMP',
  ),
  {
    name: 'setup_seconds',
    type: 'DOUBLE',
    text: 'Time from the INVITE to the answer.',
    valueOf: ({ inviteAtUs, answeredAtUs }) => seconds(inviteAtUs, answeredAtUs),
  },
  {
    name: 'talk_seconds',
    type: 'DOUBLE',
    text: 'Time from the answer to the end.',
    valueOf: ({ answeredAtUs, endedAtUs }) => seconds(answeredAtUs, endedAtUs),
  },
  column('time_written', 'time.written', 'Where the times come from: `utc`, `local` or `observed`.'),
  column('time_zone', 'time.zone', 'IANA name of the zone of a local time.'),
  column('time_resolution_us', 'time.resolutionUs', 'Smallest step of the times, microseconds.', 'BIGINT'),
  column('calling_number', 'calling.tn', 'The number in From, canonical.'),
  column('calling_as_written', 'calling.asWritten', 'The same as the switch wrote it.'),
  column('asserted_number', 'asserted.tn', 'The asserted number, canonical.'),
  column('asserted_as_written', 'asserted.asWritten', 'The same as the switch wrote it.'),
  column('called_number', 'called.tn', 'The number called, canonical.'),
  column('called_as_written', 'called.asWritten', 'The same as the switch wrote it.'),
  column('translated_number', 'called.translatedTn', 'Where the call was sent on to, if that is another number.'),
  column('location_routing_number', 'called.lrn', 'Location routing number of a ported number.'),
  column('technical_prefix', 'called.techPrefix', 'Technical prefix before the number called.'),
  column('ingress_trunk', 'ingress.trunk', 'Trunk that the call came in by.'),
  column('ingress_provider', 'ingress.provider', 'Provider on the other end of it.'),
  column('ingress_address', 'ingress.address', 'Signalling address of the other end.'),
  column('ingress_call_id', 'ingress.callId', 'SIP Call-ID on that side.'),
  column('egress_trunk', 'egress.trunk', 'Trunk that the call left by.'),
  column('egress_provider', 'egress.provider', 'Provider on the other end of it.'),
  column('egress_address', 'egress.address', 'Signalling address of the other end.'),
  column('egress_call_id', 'egress.callId', 'SIP Call-ID on that side.'),
  column('disposition', 'disposition', 'What became of the call: `answered`, `busy` and others.'),
  column('released_by', 'release.party', 'Who ended it: `calling`, `called` or `network`.'),
  column('sip_status', 'release.sipStatus', 'Final SIP status.', 'INTEGER'),
  column('q850_cause', 'release.q850Cause', 'Q.850 cause.', 'INTEGER'),
  column('release_cause', 'release.cause', "The switch's own word for why it ended."),
  column('verstat', 'received.verstat', 'What the verification found.'),
  column('attestation', 'received.attestation', 'Attestation level that the call came with: `A`, `B` or `C`.'),
  column('orig_id', 'received.origId', 'origid that it came with.'),
  column('signer_code', 'received.spc', 'Service Provider Code of the certificate that signed it.'),
  column('passport_iat', 'received.iatSeconds', '`iat` of the PASSporT, seconds since 1970.', 'BIGINT'),
  column('signed_attestation', 'signed.attestation', 'Attestation level that the carrier signed itself.'),
  column('signed_orig_id', 'signed.origId', 'origid that the carrier signed itself.'),
  column('signed_basis', 'signed.basis', 'What that attestation rests on.'),
  column('customer_id', 'customerId', "The carrier's name for its own customer."),
  column('blocked_by', 'blockedBy', 'What refused the call.'),
  column('leg_id', 'legId', "The switch's own name of the leg."),
  column('call_group_id', 'callGroupId', 'What the legs of one call have in common.'),
  column('source_id', 'source.id', 'Name of the switch.'),
  column('source_format', 'source.format', 'Format that the record was read from.'),
  column('source_reader_version', 'source.readerVersion', 'Version of the reader.', 'INTEGER'),
  column('source_sha256', 'source.sha256', 'SHA-256 of the raw bytes.'),
];

const BY_PATH: ReadonlyMap<string, RecordColumn> = new Map(
  TYPED_COLUMNS.flatMap((one) => (one.path === undefined ? [] : [[one.path, one]])),
);

/** Members of which columns have some members: `called`, `received`. */
const PARENTS: ReadonlySet<string> = new Set([...BY_PATH.keys()].flatMap((path) => path.split('.').slice(0, -1)));

/** The columns of the table `records`, in their order. Together they have everything that a record has. */
export const RECORD_COLUMNS: readonly RecordColumn[] = [
  ...TYPED_COLUMNS,
  {
    name: 'rest',
    type: 'JSON',
    text: 'Everything else of the record: the evidence of its verification, and raw rows if they were kept.',
    valueOf: (record) => JSON.stringify(restOf(record, '')),
  },
];

/** What no column has. A value that is not of the type of its column stays here. */
function restOf(members: object, before: string): object {
  const rest: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(members) as [string, unknown][]) {
    const path = `${before}${name}`;
    if (hasColumn(path, value)) continue;
    if (!PARENTS.has(path) || typeof value !== 'object' || value === null) rest[name] = value;
    else {
      const below = restOf(value, `${path}.`);
      // A side of which nothing is known is a member without members.
      if (Object.keys(below).length > 0 || Object.keys(value).length === 0) rest[name] = below;
    }
  }
  return rest;
}

function hasColumn(path: string, value: unknown): boolean {
  const { type } = BY_PATH.get(path) ?? {};
  return type !== undefined && valueOfType(type, value) !== undefined;
}
