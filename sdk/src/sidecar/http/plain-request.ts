/** A request in the plainest form of HTTP/1.1, which is what clients that keep a connection send: nothing in it can be read in two ways. */
export interface PlainRequest {
  readonly path: string;
  /** Behind the question mark. */
  readonly query: string;
  /** Those of {@link HEARD}, in lower case. */
  readonly headers: Readonly<Partial<Record<HeardHeader, string>>>;
  readonly body: Buffer;
}

/** What was read. */
export type PlainRead =
  | { readonly status: 'read'; readonly request: PlainRequest }
  /** The head is there, the body not yet. */
  | { readonly status: 'partial' }
  /** Anything else: for a whole parser. */
  | { readonly status: 'other' };

type HeardHeader = 'accept' | 'authorization' | 'content-type' | 'x-request-id' | 'x-requestid';

/** Header fields that an answer depends on. */
const HEARD: ReadonlySet<string> = new Set<HeardHeader>([
  'accept',
  'authorization',
  'content-type',
  'x-request-id',
  'x-requestid',
]);
/** Header fields that change how a message is read, or what becomes of its connection. @see RFC 9110 section 7.6, RFC 9112 section 6 */
const GOVERNING: ReadonlySet<string> = new Set([
  'expect',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'content-encoding',
]);
/** A head of a switch has some two hundred octets, one with a token some eight hundred. */
const MAX_HEAD_BYTES = 4_096;

const POST = Buffer.from('POST /', 'latin1');
const END_OF_HEAD = Buffer.from('\r\n\r\n', 'latin1');
/** Visible characters alone, and exactly the one version that keeps connections by itself. */
const REQUEST_LINE = /^POST (\/[\x21-\x7e]*) HTTP\/1\.1$/;
/** No space before the colon, no folded line, no control character. @see RFC 9112 section 5.1 */
const FIELD_LINE = /^([A-Za-z0-9-]+):([\t\x20-\x7e]*)$/;
const LENGTH = /^[1-9]\d{0,7}$/;

/**
 * Reads a POST whose octets allow one reading only, and leaves everything else to a whole parser: other methods and versions, header fields that
 * change how a message is read, any of those that count twice, octets behind the body.
 * @param octets - all that came since the last request
 * @param maxBodyBytes - a larger body is something else
 * @returns the request, or why it is none; never throws for peer input
 * @see RFC 9112
 */
export function readPlainRequest(octets: Buffer, maxBodyBytes: number): PlainRead {
  if (octets.compare(POST, 0, POST.length, 0, Math.min(POST.length, octets.length)) !== 0) return OTHER;
  const headEnd = octets.subarray(0, MAX_HEAD_BYTES).indexOf(END_OF_HEAD);
  if (headEnd < 0) return OTHER;
  const lines = octets.toString('latin1', 0, headEnd).split('\r\n');
  const target = REQUEST_LINE.exec(lines[0] ?? '')?.[1];
  const fields = target === undefined ? undefined : readFields(lines);
  if (target === undefined || fields === undefined || fields.length > maxBodyBytes) return OTHER;
  const bodyStart = headEnd + END_OF_HEAD.length;
  const missing = bodyStart + fields.length - octets.length;
  if (missing !== 0) return missing > 0 ? PARTIAL : OTHER;
  const at = target.indexOf('?');
  return {
    status: 'read',
    request: {
      path: at < 0 ? target : target.slice(0, at),
      query: at < 0 ? '' : target.slice(at + 1),
      headers: fields.heard,
      body: octets.subarray(bodyStart),
    },
  };
}

const OTHER: PlainRead = { status: 'other' };
const PARTIAL: PlainRead = { status: 'partial' };

interface Fields {
  /** Octets of the body. */
  readonly length: number;
  readonly heard: PlainRequest['headers'];
}

/** Undefined where one of them makes the message anything but plain. */
function readFields(lines: readonly string[]): Fields | undefined {
  const heard: Partial<Record<string, string>> = {};
  let length: number | undefined;
  let hosts = 0;
  for (let index = 1; index < lines.length; index += 1) {
    const [, name, written] = FIELD_LINE.exec(lines[index] ?? '') ?? [];
    if (name === undefined || written === undefined) return undefined;
    const value = written.trim();
    const field = name.toLowerCase();
    if (field === 'content-length') {
      if (length !== undefined || !LENGTH.test(value)) return undefined;
      length = Number(value);
    } else if (field === 'host') {
      hosts += 1;
    } else if (field === 'connection') {
      if (value.toLowerCase() !== 'keep-alive') return undefined;
    } else if (HEARD.has(field)) {
      if (heard[field] !== undefined) return undefined;
      heard[field] = value;
    } else if (GOVERNING.has(field)) {
      return undefined;
    }
  }
  return length === undefined || hosts !== 1 ? undefined : { length, heard };
}
