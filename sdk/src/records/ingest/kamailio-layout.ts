import { HopbackError } from '../../errors.js';
import type { Verstat } from '../../core/terms.js';

/** What an extra column of an accounting row can tell. */
export type AccRole =
  /** Who calls, as it came in: `$fU`, `$fu`. */
  | 'calling'
  /** P-Asserted-Identity: `$ai`. */
  | 'asserted'
  /** Who is called, as it came in: `$oU`, `$tU`. */
  | 'called'
  /** What the call was sent on to: `$rU`, `$ru`. */
  | 'sentTo'
  | 'lrn'
  /** `$si`, or with port and protocol as in `$su`. */
  | 'sourceAddress'
  | 'sourcePort'
  /** `$dd`, `$du`, `$nh(d)`. */
  | 'destinationAddress'
  | 'destinationPort'
  /** The switch's name of who sent the call, and of whom it went to. */
  | 'ingressTrunk'
  | 'egressTrunk'
  /** Call-ID of the other side, where the switch is no proxy. */
  | 'egressCallId'
  /** What several Call-IDs of one call have in common: where upstream tries one route after another. */
  | 'callGroup'
  /** When the INVITE came in; save in log lines `created`, as OpenSIPS names it, has this role without being declared. */
  | 'inviteTime'
  | 'customer'
  | 'blockedBy'
  /** The verdict of the switch's own verification. */
  | 'verstat'
  /** Identity header that came in: what it claims is taken, unverified. */
  | 'identity';

/** Columns that acc itself writes, by their default names in the database. */
export type AccColumn =
  | 'method'
  | 'from_tag'
  | 'to_tag'
  | 'callid'
  | 'sip_code'
  | 'sip_reason'
  | 'time'
  | 'time_attr'
  | 'time_exten'
  | 'start_time'
  | 'end_time'
  | 'duration'
  | 'ms_duration'
  | 'setuptime';

/** What a carrier declares about the accounting rows of its proxy. */
export interface KamailioAccLayout {
  /**
   * How rows are written: `json` objects (acc_json, events, {@link accDatabaseRow}), also behind a syslog prefix; `csv` lines in
   * the order of `columns`, as databases export them; `flat`: lines of db_flatstore, which knows no quotes and writes a separator inside a
   * value as `%7C`; `log`: lines of `name=value` with semicolons, as acc writes them to syslog.
   */
  readonly form: 'json' | 'csv' | 'flat' | 'log';
  /** Names of all columns of a CSV or flat line in their order: core columns by their default names, extra ones by their own. */
  readonly columns?: readonly string[];
  /** One character. Default the comma, and of flat lines `|`. */
  readonly separator?: string;
  /** Core columns that have other names (`acc_method_column`, `cdr_start_id` and so on), by default name. */
  readonly names?: Partial<Readonly<Record<AccColumn, string>>>;
  /**
   * What the columns of db_extra, log_extra, acc_json's acc_extra and cdr_extra tell, by their names. Default {@link USUAL_EXTRA}; of log
   * lines none, since there a line that lacks a declared column is refused.
   */
  readonly extra?: Readonly<Record<string, AccRole>>;
  /**
   * Where CDR rows of the dialog module (start_time, end_time, duration) come from: `alone`, and each is a call of its own; or
   * `beside` transaction rows, and each is joined with the INVITE of its call. Default `alone`.
   */
  readonly cdrs?: 'alone' | 'beside';
  /** What start_time is: the INVITE, or with `cdr_start_on_confirmed=1` the answer. Default `invite`, as Kamailio's. */
  readonly cdrStart?: 'invite' | 'answer';
  /** Whether `detect_direction=1` puts the tags of every BYE in the order of the INVITE: then rows do not tell who hung up. Default false. */
  readonly detectsDirection?: boolean;
}

/** Extra columns as Kamailio's and OpenSIPS's own sample configurations name them. */
export const USUAL_EXTRA: Readonly<Record<string, AccRole>> = {
  src_user: 'calling',
  src_ip: 'sourceAddress',
  dst_ouser: 'called',
  dst_user: 'sentTo',
  dst_domain: 'destinationAddress',
  created: 'inviteTime',
};

/** A layout as the reader works with it. */
export interface AccColumns {
  readonly form: KamailioAccLayout['form'];
  readonly separator: string;
  /** Of CSV and flat lines: what each place holds. */
  readonly order: readonly string[];
  /** Names that a row may have for a core column, the first found counts. */
  readonly core: Readonly<Record<AccColumn, readonly string[]>>;
  readonly roles: ReadonlyMap<AccRole, string>;
  readonly cdrs: 'alone' | 'beside';
  readonly cdrStart: 'invite' | 'answer';
  readonly detectsDirection: boolean;
}

/** Names in the database; those of log lines behind them. */
const CORE_NAMES: Readonly<Record<AccColumn, readonly string[]>> = {
  method: ['method'],
  from_tag: ['from_tag'],
  to_tag: ['to_tag'],
  callid: ['callid', 'call_id'],
  sip_code: ['sip_code', 'code'],
  sip_reason: ['sip_reason', 'reason'],
  time: ['time', 'timestamp'],
  time_attr: ['time_attr'],
  time_exten: ['time_exten'],
  start_time: ['start_time'],
  end_time: ['end_time'],
  duration: ['duration'],
  ms_duration: ['ms_duration'],
  setuptime: ['setuptime'],
};

/**
 * Checks a layout and makes what a reader looks things up in.
 * @throws {@link HopbackError} `invalid-configuration` where CSV lines have no columns, two columns have one name or one role, or the
 * separator is not one character
 */
export function accColumns(layout: KamailioAccLayout): AccColumns {
  const { form, columns = [], names = {} } = layout;
  const extra = layout.extra ?? (form === 'log' ? {} : USUAL_EXTRA);
  const separator = layout.separator ?? (form === 'flat' ? '|' : ',');
  const isOrdered = form === 'csv' || form === 'flat';
  if (isOrdered && columns.length === 0)
    throw wrong('layout.columns is missing: the names of all columns of the lines, in their order.');
  if (new Set(columns).size !== columns.length) throw wrong('Two columns of the lines have the same name.');
  if (separator.length !== 1 || separator === '"') throw wrong('The separator is one character, and not the quote.');
  const roles = new Map<AccRole, string>();
  for (const [column, role] of Object.entries(extra)) {
    if (roles.has(role)) throw wrong(`Two extra columns are declared to hold "${role}".`);
    roles.set(role, column);
  }
  if (form !== 'log' && !roles.has('inviteTime')) roles.set('inviteTime', 'created');
  return {
    ...{ form, separator, order: columns, roles },
    core: { ...CORE_NAMES, ...Object.fromEntries(Object.entries(names).map(([column, name]) => [column, [name]])) },
    cdrs: layout.cdrs ?? 'alone',
    cdrStart: layout.cdrStart ?? 'invite',
    detectsDirection: layout.detectsDirection ?? false,
  };
}

function wrong(message: string): HopbackError {
  return new HopbackError('invalid-configuration', message);
}

/** A verdict as a switch writes it into a column, in any case. */
export function writtenVerstat(text: string): Verstat | undefined {
  return VERSTATS.get(text.toLowerCase());
}

const VERSTATS: ReadonlyMap<string, Verstat> = new Map([
  ['tn-validation-passed', 'TN-Validation-Passed'],
  ['tn-validation-failed', 'TN-Validation-Failed'],
  ['no-tn-validation', 'No-TN-Validation'],
]);
