/** Words of a table as they are written there, with a comma and a space between. */
export function listed(words: string): readonly string[] {
  return words.split(', ');
}
