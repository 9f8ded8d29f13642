export { jsonOf, writePrivate } from './laboratory-files.js';
export { newPkiKeys, pkiKeysFromPem } from './pki-keys.js';
export type { PkiKeysPem } from './pki-keys.js';
export { keyPem, PKI_KEYS_SHAPE } from './pki-keys.schema.js';
