/** What the bytes of a PDF show without its being drawn. */
export interface PdfObservations {
  /** `1.7`, as its header says. */
  readonly version: string;
  readonly sizeBytes: number;
  /** What it is protected by, or would do by itself; what a reader should know before opening it. */
  readonly notes: readonly PdfNote[];
}

/**
 * - `encrypted`: it opens with a password, or only as its rights allow
 * - `active-content`: scripts, or actions that are done when it is opened
 * - `embedded-files`: files within it
 * - `digital-signature`: somebody signed its bytes; by whom is not looked at
 * - `compressed-objects`: parts that were not looked into. ISO 32000-1 section 7.5.7
 * - `escaped-names`: names written in a way that hides them from a search. ISO 32000-1 section 7.3.5
 * - `bytes-before-header`: more than white space in front of `%PDF`: programs that go by the first octets take it for something else, such as
 *   a page of HTML
 * - `bytes-behind-end`: more than white space behind the last end mark
 */
export type PdfNote =
  | 'encrypted'
  | 'active-content'
  | 'embedded-files'
  | 'digital-signature'
  | 'compressed-objects'
  | 'escaped-names'
  | 'bytes-before-header'
  | 'bytes-behind-end';

/** What was seen, or why these bytes are no PDF that a person could read. */
export type PdfReading =
  | { readonly status: 'read'; readonly observations: PdfObservations }
  | { readonly status: 'unreadable'; readonly reason: 'empty' | 'no-header' | 'no-end' | 'no-cross-reference' };

/** Octets at the beginning and the end in which readers look for the header and the end mark. ISO 32000-1, annex H, note 13 and 18 */
const MARGIN_BYTES = 1_024;

/** Names that something is protected by or done by itself, without the stroke in front. */
const NAMES: readonly (readonly [PdfNote, readonly string[]])[] = [
  ['encrypted', ['Encrypt']],
  [
    'active-content',
    ['JavaScript', 'JS', 'Launch', 'OpenAction', 'AA', 'RichMedia', 'XFA', 'SubmitForm', 'ImportData'],
  ],
  ['embedded-files', ['EmbeddedFile', 'EmbeddedFiles']],
  ['digital-signature', ['ByteRange']],
  ['compressed-objects', ['ObjStm']],
];

/**
 * Looks at the bytes of a PDF: whether it begins and ends as one, and what it is protected by or would do. It is neither drawn nor executed, in time
 * linear in its size. Never throws, whatever the bytes are.
 * @param octets - at most what the contract lets through
 * @see ISO 32000-1 sections 7.5.2, 7.5.5 and 7.6
 */
export function readPdf(octets: Uint8Array): PdfReading {
  if (octets.length === 0) return { status: 'unreadable', reason: 'empty' };
  const text = latin(octets);
  const header = /%PDF-([12]\.[0-9])/.exec(text.slice(0, MARGIN_BYTES));
  if (header === null) return { status: 'unreadable', reason: 'no-header' };
  const end = text.lastIndexOf('%%EOF');
  if (end < text.length - MARGIN_BYTES || end < 0) return { status: 'unreadable', reason: 'no-end' };
  const reference = text.lastIndexOf('startxref', end);
  if (reference < 0 || !/^startxref\s{1,8}[0-9]{1,10}\s/.test(text.slice(reference, reference + 40)))
    return { status: 'unreadable', reason: 'no-cross-reference' };
  return {
    status: 'read',
    observations: {
      version: header[1] ?? '',
      sizeBytes: octets.length,
      notes: notesOf(text, { start: header.index, end }),
    },
  };
}

function notesOf(text: string, { start, end }: { readonly start: number; readonly end: number }): readonly PdfNote[] {
  const front: readonly PdfNote[] = /[^\t\n\f\r ]/.test(text.slice(0, start)) ? ['bytes-before-header'] : [];
  const names = NAMES.filter(([, hidden]) => hidden.some((name) => hasName(text, name))).map(([note]) => note);
  const notes = [...front, ...names];
  // Letters and digits need no escape: whoever escapes one hides a name.
  if (/\/[A-Za-z0-9]{0,40}#(?:[46][1-9a-fA-F]|[57][0-9aA]|3[0-9])/.test(text)) notes.push('escaped-names');
  if (/[^\s\0]/.test(text.slice(end + 5))) notes.push('bytes-behind-end');
  return notes;
}

/** A name ends where no regular character follows. ISO 32000-1 section 7.2.2 */
function hasName(text: string, name: string): boolean {
  const wanted = `/${name}`;
  for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + wanted.length)) {
    if (!/[A-Za-z0-9_.#-]/.test(text.charAt(at + wanted.length))) return true;
  }
  return false;
}

/** A character an octet: no decoder replaces what is no text. */
function latin(octets: Uint8Array): string {
  return new TextDecoder('latin1').decode(octets);
}
