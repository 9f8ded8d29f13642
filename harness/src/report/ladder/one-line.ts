/** Text of a peer on one line: control characters, by which a terminal or a file could be made to show something else, become spaces. */
export function oneLine(text: string): string {
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g, ' ');
}
