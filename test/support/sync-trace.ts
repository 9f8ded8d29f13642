/** System calls that are to be traced for {@link acknowledgedWithoutSync}: `strace -f -y -s 64 -e …`. */
export const SYNC_CALLS = 'trace=write,writev,fdatasync,fsync,openat';

/**
 * Goes through a trace of system calls in the order in which they ended. An acknowledgement is a line on standard output that begins with
 * `durable`.
 * @param lines - of the trace
 * @param directory - of the log whose writes are meant
 */
export function acknowledgedWithoutSync(lines: readonly string[], directory: string) {
  const begun = new Map<string, string>();
  const isSegment = (call: string): boolean => call.includes(`${directory}/`) && call.includes('.segment');
  let [acknowledgements, isWritten, isNamed] = [0, false, true];
  const wrong: string[] = [];
  for (const line of lines) {
    const [processId = ''] = line.split(' ', 1);
    const start = line.includes('resumed>') ? (begun.get(processId) ?? '') : line;
    if (line.includes('<unfinished ...>')) {
      begun.set(processId, line);
      // What is being written is not synced; an acknowledgement counts from when it begins.
      if (isSegment(start)) isWritten ||= start.includes('writev(');
      if (!/ write\(1</.test(start)) continue;
    }
    const isDone = /= \d+/.test(line.slice(line.lastIndexOf(')')));
    if (start.includes('O_CREAT') && isSegment(start) && isDone) isNamed = false;
    else if (start.includes('writev(') && isSegment(start)) isWritten = true;
    else if (start.includes('fdatasync(') && isSegment(start) && isDone) isWritten = false;
    else if (start.includes('fsync(') && start.includes(`<${directory}>`) && isDone) isNamed = true;
    else if (/ write\(1<.*"durable/.test(start) && !line.includes('resumed>')) {
      acknowledgements += 1;
      if (isWritten || !isNamed) wrong.push(line);
    }
  }
  return { acknowledgements, wrong };
}
