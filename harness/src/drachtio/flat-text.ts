/**
 * The same text as one piece of memory. Texts that were put together are ropes whose strands keep whole messages alive; what is kept
 * for longer than a message has to let go of them. Looking at a character makes V8 join the rope.
 */
export function flat(text: string): string {
  return text.charCodeAt(text.length - 1) >= 0 ? text : '';
}

/** As {@link flat}, for a text that was cut out of another one: a cutting keeps the whole alive. */
export function copied(text: string): string {
  return flat(`${text} `).slice(0, -1);
}
