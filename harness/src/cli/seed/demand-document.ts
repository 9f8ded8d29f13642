/** Height of a line, points. */
const LINE_POINTS = 16;

/**
 * A PDF of one page with lines of text, for a demand that nobody served.
 * @param lines - ASCII
 * @see ISO 32000-1 section 7.5
 */
export function demandDocument(lines: readonly string[]): Uint8Array {
  const shown = lines
    .map((line) => `(${line.replaceAll(/[\\()]/g, String.raw`\$&`)}) Tj 0 -${LINE_POINTS} Td`)
    .join('\n');
  const page = `BT /F1 11 Tf 72 720 Td\n${shown}\nET`;
  const objects = [
    '<< /Type /Catalog /Pages 2 0 R >>',
    '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
    '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>',
    `<< /Length ${page.length} >>\nstream\n${page}\nendstream`,
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>',
  ];
  let text = '%PDF-1.4\n';
  const places: number[] = [];
  for (const [at, object] of objects.entries()) {
    places.push(text.length);
    text += `${at + 1} 0 obj\n${object}\nendobj\n`;
  }
  const table = places.map((place) => `${String(place).padStart(10, '0')} 00000 n \n`).join('');
  const count = objects.length + 1;
  text += `xref\n0 ${count}\n0000000000 65535 f \n${table}trailer\n<< /Size ${count} /Root 1 0 R >>\nstartxref\n${text.length}\n%%EOF\n`;
  return Buffer.from(text, 'latin1');
}
