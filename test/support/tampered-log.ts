import {
  encodeGroup,
  encodeSegmentHeader,
  nextFrame,
  parseSegmentFileName,
  sealFrame,
} from '../../sdk/src/log/segment-format.js';

/** Records of a segment's bytes, in order. */
export function recordsOfSegment(fileName: string, bytes: Buffer) {
  const { mark } = parseSegmentFileName(fileName)!;
  const records: { readonly sequence: number; readonly payload: Buffer }[] = [];
  for (let at = 32; ;) {
    const frame = nextFrame(bytes, at, mark);
    if (frame.kind === 'none' || frame.kind === 'cut') return records;
    if (frame.kind === 'record') {
      records.push({ sequence: frame.sequence, payload: Buffer.from(bytes.subarray(frame.payload, frame.end)) });
    }
    at = frame.end;
  }
}

/** A segment as somebody writes it who knows the format: checksums and numbers are right, whatever the records are. */
export function segmentOf(fileName: string, payloads: readonly Uint8Array[]): Buffer {
  const name = parseSegmentFileName(fileName)!;
  const parts: Buffer[] = [encodeSegmentHeader(name)];
  for (const [index, payload] of payloads.entries()) {
    const sequence = name.first + index;
    const frame = Buffer.alloc(20 + payload.length);
    frame.set(payload, 20);
    sealFrame(frame, { offset: 0, mark: name.mark, sequence, lengthWord: payload.length });
    parts.push(encodeGroup(name.mark, sequence, sequence), frame);
  }
  return Buffer.concat(parts);
}
