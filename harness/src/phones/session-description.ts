/**
 * Writes the description of a session without media: one audio stream towards the discard port, or what fits an offer that was
 * received: as many streams, the first that is audio taken as offered, all others declined. Never throws for peer input.
 * @param version - counts up with each description of one call
 * @param remote - what the other side described last
 * @see RFC 8866 section 5, RFC 3264 sections 5 and 6
 */
export function sessionDescription(version: number, remote?: string): string {
  const streams = remote === undefined ? OWN_STREAM : answeredStreams(remote);
  const lines = ['v=0', `o=- 1 ${version} IN IP4 127.0.0.1`, 's=-', 'c=IN IP4 127.0.0.1', 't=0 0', ...streams];
  return `${lines.join('\r\n')}\r\n`;
}

const OWN_STREAM: readonly string[] = ['m=audio 9 RTP/AVP 0', 'a=rtpmap:0 PCMU/8000', 'a=sendrecv'];

/** Streams of a description that are looked at; telephones offer one, conferences a handful. */
const MAX_STREAMS = 32;

/** What may be said to a direction that was offered. @see RFC 3264 section 6.1 */
const OPPOSITE: ReadonlyMap<string, string> = new Map([
  ['a=sendonly', 'a=recvonly'],
  ['a=recvonly', 'a=sendonly'],
  ['a=inactive', 'a=inactive'],
]);

function answeredStreams(remote: string): readonly string[] {
  const lines = remote.split(/\r\n|\r|\n/);
  const starts = lines.flatMap((line, index) => (line.startsWith('m=') ? [index] : [])).slice(0, MAX_STREAMS);
  if (starts.length === 0) return OWN_STREAM;
  const session = lines.slice(0, starts[0]);
  const streams = starts.map((start, index) => lines.slice(start, starts[index + 1]));
  const taken = streams.findIndex(([line = '']) => line.startsWith('m=audio ') && line.split(' ')[1] !== '0');
  return streams.flatMap((stream, index) => (index === taken ? acceptedStream(stream, session) : declined(stream)));
}

/** With the first format that was offered: that one the other side likes best. */
function acceptedStream(stream: readonly string[], session: readonly string[]): readonly string[] {
  const [, , protocol = 'RTP/AVP', format = '0'] = (stream[0] ?? '').split(' ');
  const mapping = stream.find((line) => line.startsWith(`a=rtpmap:${format} `));
  const offered = stream.find(isDirection) ?? session.find(isDirection) ?? '';
  return [
    `m=audio 9 ${protocol} ${format}`,
    ...(mapping === undefined ? [] : [mapping]),
    OPPOSITE.get(offered) ?? 'a=sendrecv',
  ];
}

function declined([line = '']: readonly string[]): readonly string[] {
  const [medium = 'm=audio', , protocol = 'RTP/AVP', format = '0'] = line.split(' ');
  return [`${medium} 0 ${protocol} ${format}`];
}

function isDirection(line: string): boolean {
  return OPPOSITE.has(line) || line === 'a=sendrecv';
}
