import type { Socket } from 'node:net';

/** A SIP message as a peer of the tests reads it, one character per octet. It is its own reader, so that the server's can be wrong. */
export interface SipText {
  readonly raw: string;
  readonly startLine: string;
  /** Empty for a response. */
  readonly method: string;
  readonly uri: string;
  /** 0 for a request. */
  readonly status: number;
  readonly reason: string;
  readonly body: string;
  /** Header field lines in their order, folds kept. */
  readonly lines: readonly string[];
  /** Values of the fields with a name, long or compact, in any case. */
  readonly values: (name: string) => readonly string[];
  /** The first of them; empty where there is none. */
  readonly value: (name: string) => string;
}

const COMPACT: ReadonlyMap<string, string> = new Map(
  Object.entries({
    ...{ v: 'via', f: 'from', t: 'to', i: 'call-id', m: 'contact', l: 'content-length', c: 'content-type' },
    ...{ k: 'supported', o: 'event', r: 'refer-to', y: 'identity' },
  }),
);

/** Reads one message. */
export function readSip(raw: string): SipText {
  const headEnd = raw.indexOf('\r\n\r\n');
  const [startLine = '', ...lines] = raw.slice(0, headEnd < 0 ? raw.length : headEnd).split(/\r\n(?![ \t])/);
  const isResponse = startLine.startsWith('SIP/2.0 ');
  const [method = '', uri = ''] = startLine.split(' ');
  const values = (name: string): readonly string[] =>
    lines
      .map((line) => ({ key: line.slice(0, line.indexOf(':')).trim().toLowerCase(), line }))
      .filter(({ key }) => (COMPACT.get(key) ?? key) === name.toLowerCase())
      .map(({ line }) => line.slice(line.indexOf(':') + 1).trim());
  return {
    ...{ raw, startLine, lines, values },
    ...{ method: isResponse ? '' : method, uri: isResponse ? '' : uri },
    status: isResponse ? Number(startLine.slice(8, 11)) : 0,
    reason: isResponse ? startLine.slice(12) : '',
    body: headEnd < 0 ? '' : raw.slice(headEnd + 4),
    value: (name) => values(name)[0] ?? '',
  };
}

/** The URI of a name-addr or addr-spec. */
export function uriIn(value: string): string {
  return /<([^>]*)>/.exec(value)?.[1] ?? value.split(';')[0] ?? '';
}

/** The tag of a From or To value; empty where there is none. */
export function tagIn(value: string): string {
  return /;tag=([^;]*)/.exec(value.slice(value.indexOf('>') + 1))?.[1] ?? '';
}

/** The branch of the topmost Via of a message; empty where there is none. */
export function branchOf(message: SipText): string {
  return /^[^,]*;branch=([^;,]*)/.exec(message.value('Via'))?.[1] ?? '';
}

/** A message from its start line, header lines and body, with a Content-Length that is right. */
export function writeSip(startLine: string, lines: readonly string[], body = ''): string {
  return `${[startLine, ...lines, `Content-Length: ${body.length}`].join('\r\n')}\r\n\r\n${body}`;
}

/** A session description; `a` tells two of them apart. */
export function sdp(a = '1'): string {
  return (
    `v=0\r\no=- ${a} 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n` +
    `m=audio 4${a.padStart(3, '0')} RTP/AVP 0\r\na=sendrecv\r\n`
  );
}

/** Hands on each message of a stream when it is whole. */
export function onMessages(socket: Socket, onText: (text: string) => void): void {
  let stream = '';
  socket.on('data', (octets: Buffer) => {
    stream += octets.toString('latin1');
    for (let text = takeMessage(stream); text !== undefined; text = takeMessage(stream)) {
      stream = stream.slice(text.length);
      onText(text);
    }
  });
}

/** The first whole message of a stream, with line ends in front of it left out. */
function takeMessage(stream: string): string | undefined {
  const headEnd = stream.indexOf('\r\n\r\n');
  if (headEnd < 0) return undefined;
  const length = Number(/\r\n(?:content-length|l)[ \t]*:[ \t]*(\d+)/i.exec(stream.slice(0, headEnd + 2))?.[1] ?? 0);
  return stream.length < headEnd + 4 + length ? undefined : stream.slice(0, headEnd + 4 + length);
}
