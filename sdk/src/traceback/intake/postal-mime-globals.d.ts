import type { TextDecoder as NodeTextDecoder, TextEncoder as NodeTextEncoder } from 'node:util';

// The declarations of postal-mime name two types that browsers have: in @types/node of Node 20 they are values alone. None of ours
// name them, so that nobody who installs the package needs this.
declare global {
  interface TextEncoder extends NodeTextEncoder {}
  interface TextDecoder extends NodeTextDecoder {}
}
