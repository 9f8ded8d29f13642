import type { TracebackRequest } from '../../contract/traceback-exchange.js';
import type { IntakeField, LabelMeaning } from './intake-fields.js';

/** What a text, an e-mail or a file of calls was read as. */
export interface IntakeReport {
  readonly format: 'hopback.traceback-intake.1';
  /**
   * `clear`: all requests are, and nothing was left that may hold another; `needs-person`: at least one is doubtful or incomplete, or something
   * that may be a request was not read; `no-request`: nothing in it may be one; `unreadable`: see `because`.
   */
  readonly status: 'clear' | 'needs-person' | 'no-request' | 'unreadable';
  /** Of what is unreadable. */
  readonly because?: 'empty' | 'too-large' | 'too-many-lines' | 'not-an-email';
  readonly kind: 'text' | 'email' | 'csv';
  /** SHA-256 of the bytes that were given, of a text those of its UTF-8; lower-case hex. */
  readonly sha256: string;
  /** How an e-mail came, as far as an answer needs it. Nothing of it is proof of who sent it. */
  readonly email?: {
    readonly messageId?: string;
    readonly references?: string;
    readonly subject?: string;
    readonly fromName?: string;
    readonly fromAddress?: string;
    /** Where answers are asked to go, if not to the sender. */
    readonly replyTo?: string;
    /** RFC 3339 in UTC. */
    readonly date?: string;
  };
  readonly requests: readonly IntakeRequest[];
  /** What looked like a field, was not understood and belongs to no call; 500 at most. */
  readonly unread: readonly {
    /**
     * - `unknown-label`: a label that no table knows; `no-value`: a known one with nothing behind it;
     * - `value-not-understood`: the value has not the form of the field;
     * - `number-in-text`: a telephone number in running text, of which nobody can say whose it is;
     * - `row-not-read`: a row of a table that does not fit its head, or whose quotes do not close;
     * - `without-call`: a field of a call that stands with none;
     * - `zone-unclear`: a time, other than that of the call, that could be several instants;
     * - `too-long`: longer than a line, a field or the whole may be.
     */
    readonly reason:
      | 'unknown-label'
      | 'no-value'
      | 'value-not-understood'
      | 'number-in-text'
      | 'row-not-read'
      | 'without-call'
      | 'zone-unclear'
      | 'too-long';
    readonly label?: string;
    /** 256 characters at most. */
    readonly asWritten: string;
    /** Where it stood: `text`, `subject`, `plain body`, `attachment calls.csv`; `message: plain body` of a message inside a message. */
    readonly place: {
      readonly part: string;
      /** From 1. Of a row that goes over several lines the first. */
      readonly line: number;
    };
  }[];
  /** Files that came with an e-mail. */
  readonly attachments: readonly {
    /** Empty where it has none. */
    readonly name: string;
    readonly mimeType: string;
    readonly sizeBytes: number;
    /** Lower-case hex. */
    readonly sha256: string;
    /**
     * `recording`: sound; `requests`: a table, a text or a message that was read; `other`: not opened: a document, a spreadsheet, a
     * picture, which a person has to look at.
     */
    readonly kind: 'recording' | 'requests' | 'other';
  }[];
}

/** One call that is asked about. */
export type IntakeRequest = {
  /** As stated, or derived from what was written: of the same e-mail always the same. */
  readonly requestId: string;
  /** Which text became which field, in the order of the text. */
  readonly fields: readonly {
    readonly field: IntakeField;
    /** As it stood before the value, or at the head of the column; `From` of an e-mail. Empty where nothing stood there. */
    readonly label: string;
    readonly asWritten: string;
    /** What it was read as. */
    readonly value: string;
    readonly place: IntakeReport['unread'][number]['place'];
  }[];
  /** What belongs to this call and was not understood. */
  readonly unread: IntakeReport['unread'];
  /** What a request has to have, was not stated, and was filled in. */
  readonly assumed: readonly { readonly field: IntakeField; readonly value: string }[];
  /** What would have helped to find the call and is not there. */
  readonly notStated: readonly IntakeField[];
} & (
  | {
      /** Everything is there, and each field means one thing. */
      readonly status: 'clear';
      readonly request: TracebackRequest;
    }
  | {
      /** A person has to settle something first. */
      readonly status: 'doubtful';
      readonly doubts: readonly IntakeDoubt[];
      /** What may be meant, eight at most. All have the same id: there is one answer for them. */
      readonly readings: readonly TracebackRequest[];
    }
  | {
      /** It cannot be looked for as it is. */
      readonly status: 'incomplete';
      readonly missing: readonly IntakeField[];
      readonly doubts: readonly IntakeDoubt[];
    }
);

/** One thing that a person has to settle. */
export interface IntakeDoubt {
  /**
   * - `day-or-month`: which figure of the date is the day, the month or the year is open; `time-does-not-exist`: clocks were put forward over
   *   it; `time-in-the-future`: later than the request itself; `weekday-contradicts`: it was another day of the week than stands with it;
   *   `half-of-day`: an hour that is counted to 12 or to 24, and nothing says which;
   * - `zone-absent`: nobody says in which zone; `zone-ambiguous`: the abbreviation means several;
   *   `zone-out-of-season`: standard time was written in summer, or the other way round; `zone-contradicts`: two zones are stated;
   * - `several-values`: several numbers where one was expected; `digits-lost`: a spreadsheet has rounded the number;
   *   `number-irregular`: neither a national number nor one with a country code;
   * - `not-understood`: something by which the call has to be looked for was stated, and nobody knows what it means;
   * - `fields-contradict`: the same field is stated twice, differently; `bodies-disagree`: the plain and the HTML body of an e-mail do;
   * - `calls-not-told-apart`: which of several calls a field belongs to;
   * - `direction-of-writing`: marks in the text show a reader another order of digits than there is;
   * - `requester-unknown`: the sender is none that is known to send requests;
   * - `cut`: what was given is longer than what is read.
   */
  readonly kind:
    | 'day-or-month'
    | 'time-does-not-exist'
    | 'time-in-the-future'
    | 'weekday-contradicts'
    | 'half-of-day'
    | 'zone-absent'
    | 'zone-ambiguous'
    | 'zone-out-of-season'
    | 'zone-contradicts'
    | 'several-values'
    | 'digits-lost'
    | 'number-irregular'
    | 'not-understood'
    | 'fields-contradict'
    | 'bodies-disagree'
    | 'calls-not-told-apart'
    | 'direction-of-writing'
    | 'requester-unknown'
    | 'cut';
  /** Absent where the doubt is about the whole. */
  readonly field?: IntakeField;
  readonly asWritten: string;
  /** What it may mean; empty where there is nothing to choose from. */
  readonly readings: readonly string[];
}

/** A text that became a field. */
export type ReadField = IntakeRequest['fields'][number];
/** Something that looked like a field and was not understood. */
export type UnreadField = IntakeReport['unread'][number];
export type AssumedField = IntakeRequest['assumed'][number];
export type IntakeAttachment = IntakeReport['attachments'][number];
export type ReceivedEmail = NonNullable<IntakeReport['email']>;

/** What one request may mean at most: two dates by two numbers by two zones. More is no choice for a person. */
export const MAX_INTAKE_READINGS = 8;

/** Things not understood that are listed of one input: more than a person looks at. */
export const MAX_INTAKE_UNREAD = 500;

/** A text that stands for a field, not looked into yet. */
export interface StatedCell extends LabelMeaning {
  /** As it stood before the value, or at the head of the column. */
  readonly label: string;
  readonly text: string;
  readonly place: UnreadField['place'];
  /** Marks in it show a reader another order of characters. */
  readonly isReordered: boolean;
}
