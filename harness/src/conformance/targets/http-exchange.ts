/** An answer as it came. */
export interface HttpAnswer {
  readonly kind: 'answer';
  readonly status: number;
  readonly text: string;
}

/** Nothing that could be read. */
export interface HttpSilence {
  readonly kind: 'no-answer';
  readonly why: 'refused' | 'timeout' | 'cut';
  readonly said: string;
}

/** What is sent. */
export interface HttpQuestion {
  readonly url: string;
  readonly contentType: string;
  readonly accept: string;
  readonly body: string;
  readonly token?: string;
  readonly timeoutMs: number;
}

/** Answers have some kilobytes; whoever sends more is not listened to further. */
const MAX_ANSWER_BYTES = 262_144;

/** Posts a body. Never rejects. */
export async function post(question: HttpQuestion): Promise<HttpAnswer | HttpSilence> {
  const { url, contentType, accept, body, token, timeoutMs } = question;
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        ...{ 'content-type': contentType, accept },
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      },
      body,
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
    });
    return { kind: 'answer', status: response.status, text: await bodyText(response) };
  } catch (error) {
    return silence(error, timeoutMs);
  }
}

async function bodyText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > MAX_ANSWER_BYTES) break;
  }
  return Buffer.concat(chunks).toString('utf8');
}

function silence(error: unknown, timeoutMs: number): HttpSilence {
  if (error instanceof Error && error.name === 'TimeoutError')
    return { kind: 'no-answer', why: 'timeout', said: `nothing within ${String(timeoutMs)} ms` };
  const code = codeOf(error);
  const why = code === 'ECONNREFUSED' ? 'refused' : 'cut';
  return { kind: 'no-answer', why, said: code ?? 'the connection broke' };
}

/** The code of node's error, which fetch keeps one below. */
function codeOf(error: unknown): string | undefined {
  const cause = error instanceof Error ? error.cause : undefined;
  const code = (cause as { readonly code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}
