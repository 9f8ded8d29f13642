import { inflateSync } from 'node:zlib';

/** The text of each page of a PDF that PDFKit made. */
export function pdfPages(pdf: Uint8Array): readonly string[] {
  const octets = Buffer.from(pdf).toString('latin1');
  return [...octets.matchAll(/FlateDecode\n>>\nstream\n([^]*?)\nendstream/g)].map(([, stream]) =>
    [
      ...inflateSync(Buffer.from(stream!, 'latin1'))
        .toString('latin1')
        .matchAll(/<([0-9a-f]+)>/g),
    ]
      .map(([, hex]) => Buffer.from(hex!, 'hex').toString('latin1'))
      .join(''),
  );
}
