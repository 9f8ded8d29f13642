import { createHash } from 'node:crypto';
import type { CallBody } from './platform-call.js';

/** JSON and a PDF, under the names of their parts. */
export interface JsonAndPdf {
  readonly jsonPart: string;
  readonly json: unknown;
  readonly pdfPart: string;
  readonly document: Uint8Array;
}

/**
 * A body of two parts. The boundary between them is made of what is in them: the same content is the same octets, by another process too, as
 * an idempotency key asks for.
 * @see RFC 7578 section 4
 */
export function jsonAndPdfBody({ jsonPart, json, pdfPart, document }: JsonAndPdf): CallBody {
  const stated = JSON.stringify(json);
  const hash = createHash('sha256').update(stated).update(document).digest('hex');
  const boundary = `hopback-${hash.slice(0, 32)}`;
  const part = (fields: string): Buffer =>
    Buffer.from(`--${boundary}\r\ncontent-disposition: form-data; ${fields}\r\n\r\n`);
  return {
    contentType: `multipart/form-data; boundary=${boundary}`,
    bytes: Buffer.concat([
      part(`name="${jsonPart}"\r\ncontent-type: application/json`),
      Buffer.from(stated),
      Buffer.from('\r\n'),
      part(`name="${pdfPart}"; filename="document.pdf"\r\ncontent-type: application/pdf`),
      document,
      Buffer.from(`\r\n--${boundary}--\r\n`),
    ]),
  };
}
