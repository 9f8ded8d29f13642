import { afterEach, beforeEach } from 'vitest';
import { createTemporaryDirectory, type TemporaryDirectory } from '../peers/temporary-directory.js';

/** A folder that is empty when a test of the file begins, and gone when it is over. */
export function testFolder(): Pick<TemporaryDirectory, 'path' | 'at' | 'write'> {
  let directory: TemporaryDirectory;
  beforeEach(async () => {
    directory = await createTemporaryDirectory();
  });
  afterEach(() => directory.close());
  return {
    get path() {
      return directory.path;
    },
    at: (...names) => directory.at(...names),
    write: (name, content) => directory.write(name, content),
  };
}
