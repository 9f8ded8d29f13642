import { answerSha256, signAnswer } from '@hopback/sdk/traceback';
import type { AnswerSigner, AnswerTransport, TracebackAnswer, VerifyReceipt } from '@hopback/sdk/traceback';

/** The way of answers to the platform and back. */
interface AnswerWay {
  readonly transport: AnswerTransport;
  readonly verifyReceipt: VerifyReceipt;
}

/**
 * Stands between a responder and the platform: the responder finds and signs the truth, and another answer is signed and sent in its place. Of the
 * receipt the responder is told that it is for what it wrote.
 * @param honest - the way to the platform
 * @param liar - whose key signs, and what is said
 */
export function lyingTransport(
  honest: AnswerWay,
  liar: { readonly signer: AnswerSigner; readonly says: (answer: TracebackAnswer) => TracebackAnswer },
): AnswerWay {
  /** What was written, by the hash of what was sent in its place. */
  const written = new Map<string, string>();
  return {
    transport: {
      deliver: async (answer, signal) => {
        const said = await signAnswer(liar.says(payloadOf(answer.jws)), liar.signer);
        written.set(answerSha256(said), answerSha256(answer.jws));
        return honest.transport.deliver({ ...answer, jws: said }, signal);
      },
    },
    verifyReceipt: async (receipt) => {
      const reading = await honest.verifyReceipt(receipt);
      if (reading.status !== 'verified') return reading;
      return { ...reading, answerSha256: written.get(reading.answerSha256) ?? reading.answerSha256 };
    },
  };
}

/** The answer in a JWS that our own responder has just made. */
function payloadOf(jws: string): TracebackAnswer {
  const [, payload = ''] = jws.split('.');
  return JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as TracebackAnswer;
}
