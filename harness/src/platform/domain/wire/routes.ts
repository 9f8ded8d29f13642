import type { PlatformScope, ProblemCode, RouteParameter } from '@hopback/sdk/platform';
import type { ServedRoute } from '../../core/index.js';

// Routes beside the contract: what follows from the kind of a route is said here, once.

interface RouteWords {
  readonly summary: string;
  readonly description: string;
  readonly parameters?: readonly RouteParameter[];
  /** Default staff. */
  readonly allowed?: readonly PlatformScope[];
  /** Beside those that follow from body and parameters. */
  readonly problems?: readonly ProblemCode[];
}

interface AnsweredWords extends RouteWords {
  /** Name of the body that is answered, and what it is. */
  readonly answer: readonly [body: string, description: string];
}

interface ChangeWords extends AnsweredWords {
  /** Name of the body that is sent. */
  readonly body?: string;
  readonly status?: 200 | 201;
}

/** Makers of the routes of one tag. */
export function routesOf(tag: string) {
  const common = (operationId: string, path: string, words: RouteWords) => ({
    operationId,
    path,
    tag,
    summary: words.summary,
    description: words.description,
    allowed: words.allowed ?? (['staff'] as const),
    parameters: words.parameters ?? [],
  });
  return {
    /** Changes nothing. */
    read: (operationId: string, path: string, words: AnsweredWords): ServedRoute => ({
      ...common(operationId, path, words),
      method: 'GET',
      response: answered(words),
      problems: problemsOf(words),
      idempotency: 'safe',
    }),
    /** Body or path name what is done, so that said again it changes nothing. */
    change: (operationId: string, path: string, words: ChangeWords): ServedRoute => ({
      ...common(operationId, path, words),
      method: 'POST',
      ...(words.body !== undefined && { request: { kind: 'json', body: words.body } }),
      response: answered(words),
      problems: [...(words.body === undefined ? [] : BODY_PROBLEMS), ...problemsOf(words)],
      idempotency: 'by-content',
    }),
    /** Takes something away; `answer` says what then holds. */
    remove: (operationId: string, path: string, words: RouteWords & { readonly answer: string }): ServedRoute => ({
      ...common(operationId, path, words),
      method: 'DELETE',
      response: { kind: 'nothing', status: 204, description: words.answer },
      problems: problemsOf(words),
      idempotency: 'by-content',
    }),
  };
}

/** Of a route that takes a body. */
export const BODY_PROBLEMS: readonly ProblemCode[] = ['invalid-body', 'too-large', 'unsupported-media-type'];

const answered = ({ answer: [body, description], status = 200 }: ChangeWords): ServedRoute['response'] => ({
  kind: 'json',
  status,
  body,
  description,
});

/** A parameter may be out of its form; what a path names may not be there. */
function problemsOf({ parameters = [], problems = [] }: RouteWords): readonly ProblemCode[] {
  const isNamed = parameters.some((parameter) => parameter.in === 'path');
  return [
    ...(parameters.length > 0 ? (['invalid-parameter'] as const) : []),
    ...(isNamed ? (['not-found'] as const) : []),
    ...problems,
  ];
}
