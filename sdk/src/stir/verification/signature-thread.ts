import { createPublicKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { parentPort } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import { verifyEs256Bytes } from '../es256.js';
import { unpackJobs } from './signature-checker.js';
import type { SignatureBatch, SignatureBatchResult } from './signature-checker.js';

// The body of a signature thread: batches in, one octet per signature out. It keeps nothing but public keys.
if (parentPort !== null) serve(parentPort, new Map());

function serve(port: MessagePort, keys: Map<number, KeyObject>): void {
  port.on('message', (batch: SignatureBatch) => {
    if (batch.forgetKeys) keys.clear();
    for (const { number, spki } of batch.keys) {
      keys.set(number, createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' }));
    }
    const valid = checkBatch(batch, keys);
    const result: SignatureBatchResult = { id: batch.id, valid };
    port.postMessage(result, [valid.buffer]);
  });
}

function checkBatch(batch: SignatureBatch, keys: ReadonlyMap<number, KeyObject>): Uint8Array<ArrayBuffer> {
  const valid = new Uint8Array(batch.count);
  let index = 0;
  for (const { keyNumber, signingInput, signature } of unpackJobs(batch.packed, batch.count)) {
    const key = keys.get(keyNumber);
    valid[index] = key !== undefined && verifyEs256Bytes(key, signingInput, signature) ? 1 : 0;
    index += 1;
  }
  return valid;
}
