/** Takes a message of our own writing apart by hand, not by what reads other people's: header fields in their order, unfolded, and the body decoded. @see RFC 5322 section 2.1, RFC 2045 section 6.7 */
export function messageText(message: string) {
  const end = message.indexOf('\r\n\r\n');
  const lines = message.slice(0, end).replaceAll('\r\n ', ' ').split('\r\n');
  const headers = lines.map((line) => {
    const mark = line.indexOf(': ');
    return [line.slice(0, mark), line.slice(mark + 2)] as const;
  });
  const encoded = message
    .slice(end + 4)
    .replaceAll('=\r\n', '')
    .replaceAll('\r\n', '\n');
  const octets = encoded.replaceAll(/=([0-9A-F]{2})/g, (_match, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return { headers, body: Buffer.from(octets, 'latin1').toString('utf8') };
}
