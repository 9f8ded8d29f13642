import type { PlatformProblem, RouteParameter } from '@hopback/sdk/internal';
import { problemAnswer, DEFAULT_PAGE_ITEMS, IDEMPOTENCY_KEY } from '@hopback/sdk/internal';
import type { OperationCall, ServedRoute, StaffRole } from '../../core/index.js';
import { readCursor, writeCursor } from '../providers/resolve-reference.js';
import { z } from 'zod';
import type { PlatformScope, ProblemCode } from '@hopback/sdk/platform';

// Routes beside the contract: what follows from the kind of a route is said here, once.

interface RouteWords {
  readonly summary: string;
  readonly description: string;
  readonly parameters?: readonly RouteParameter[];
  /** Of staff; default none. */
  readonly role?: StaffRole;
  /** Default staff. */
  readonly allowed?: readonly PlatformScope[];
  /** Beside those that follow from body and parameters. */
  readonly problems?: readonly ProblemCode[];
}

interface AnsweredWords extends RouteWords {
  /** Name of the body that is answered, and what it is where the name does not say it. */
  readonly answer: string | readonly [body: string, description: string];
}

interface ChangeWords extends AnsweredWords {
  /** Name of the body that is sent. */
  readonly body?: string;
  readonly status?: 200 | 201;
  /** Whether a repeat is told by the `Idempotency-Key` that came with it. Default by what is said. */
  readonly isKeyed?: boolean;
}

/** `answer` says what then holds, or what is fetched. */
interface SaidWords extends RouteWords {
  readonly answer: string;
}

/** What belongs together beside the contract, in a sentence each. */
export const OPERATOR_TAGS = {
  'Organizations and clients': 'Who may call the platform, with which keys and roles.',
  'Registry and scorecards': 'What the registry says of providers, how they answer, and what they contest.',
  Complaints: 'Complaints of consumers, brought in from elsewhere.',
  'Alerts and cases': 'Which agencies are told of which campaigns, and what they share.',
  Audit: 'Who did what, in a log that nobody can change unnoticed.',
};

/** Makers of the routes of one tag. */
export function routesOf(tag: string) {
  const common = (operationId: string, path: string, words: RouteWords) => ({
    operationId,
    path,
    tag,
    summary: words.summary,
    description: words.description,
    allowed: words.allowed ?? (['staff'] as const),
    ...(words.role !== undefined && { role: words.role }),
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
    /** A file, whose form its name or its kind says. */
    file: (operationId: string, path: string, words: SaidWords): ServedRoute => ({
      ...common(operationId, path, words),
      method: 'GET',
      response: { kind: 'file', status: 200, description: words.answer },
      problems: problemsOf(words),
      idempotency: 'safe',
    }),
    /** Body or path name what is done, so that said again it changes nothing; or a key does. */
    change: (operationId: string, path: string, { isKeyed = false, ...words }: ChangeWords): ServedRoute => ({
      ...common(operationId, path, words),
      method: 'POST',
      ...(isKeyed && { parameters: [...(words.parameters ?? []), IDEMPOTENCY_KEY] }),
      ...(words.body !== undefined && { request: { kind: 'json', body: words.body } }),
      response: answered(words),
      problems: [
        ...(words.body === undefined ? [] : BODY_PROBLEMS),
        ...(isKeyed ? KEY_PROBLEMS : []),
        ...problemsOf(words),
      ],
      idempotency: isKeyed ? 'key' : 'by-content',
    }),
    /** Takes something away. */
    remove: (operationId: string, path: string, words: SaidWords): ServedRoute => ({
      ...common(operationId, path, words),
      method: 'DELETE',
      response: { kind: 'nothing', status: 204, description: words.answer },
      problems: problemsOf(words),
      idempotency: 'by-content',
    }),
  };
}

/** Of a route that takes a body. */
const BODY_PROBLEMS: readonly ProblemCode[] = ['invalid-body', 'too-large', 'unsupported-media-type'];

const KEY_PROBLEMS: readonly ProblemCode[] = ['idempotency-key-reused', 'idempotency-in-progress'];

function answered({ answer, status = 200 }: ChangeWords): ServedRoute['response'] {
  const [body, description] = typeof answer === 'string' ? [answer, 'As it stands now.'] : answer;
  return { kind: 'json', status, body, description };
}

/** A parameter may be out of its form; what a path names may not be there. */
function problemsOf({ parameters = [], problems = [] }: RouteWords): readonly ProblemCode[] {
  const isNamed = parameters.some((parameter) => parameter.in === 'path');
  return [
    ...(parameters.length > 0 ? (['invalid-parameter'] as const) : []),
    ...(isNamed ? (['not-found'] as const) : []),
    ...problems,
  ];
}

// Forms of members that bodies beside the contract have in common. A body is its schema; its type is inferred: `BodyOf<typeof Client>`.

/** Items of a page, as of every list of the contract. */
export const MAX_ITEMS = 500;

export const identifier = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._~:@=-]{0,127}$/);
/** No control characters: names stand in logs and letters. */
export const line = z.string().regex(/^[^\u0000-\u001f\u007f]{1,256}$/);
export const utcTime = z.iso.datetime().max(40);
export const count = z.int().min(0);
export const share = z.number().min(0).max(1);
export const jurisdiction = z.string().regex(/^US(?:-[A-Z]{2})?$/);

/** Some of a list, and where the rest begins. */
export const pageOf = <Item extends z.ZodType>(item: Item) =>
  z.object({ items: z.array(item).max(MAX_ITEMS), nextCursor: z.exactOptional(z.string().max(1_024)) });

type Form = readonly ('string' | 'number')[];

/** What a list is sorted by, of the last item of the page before. */
type Place<Of extends Form> = { readonly [At in keyof Of]: Of[At] extends 'number' ? number : string };

/** A parameter that is not what it has to be. */
export const wrongParameter = (pointer: string): PlatformProblem =>
  problemAnswer('invalid-parameter', { errors: [{ pointer, code: 'invalid_format' }] });

/**
 * Reads which page of a list is asked for; the route has seen to the form of `limit`.
 * @param form - types of what the list is sorted by
 * @returns a refusal where the cursor is none of ours
 */
export function readPage<const Of extends Form>(
  { request: { parameters } }: OperationCall,
  form: Of,
): { readonly after: Place<Of> | undefined; readonly limit: number } | PlatformProblem {
  const { cursor, limit } = parameters;
  const after = cursor === undefined ? undefined : (readCursor(cursor, form) as Place<Of> | undefined);
  if (cursor !== undefined && after === undefined) return wrongParameter('cursor');
  return { after, limit: Number(limit ?? DEFAULT_PAGE_ITEMS) };
}

/**
 * The rows of a page, and the cursor of the next one where there is one.
 * @param rows - one more than the page has, where there are more
 */
export function shownRows<Row>(
  rows: readonly Row[],
  limit: number,
  placeOf: (row: Row) => readonly (string | number)[],
): { readonly shown: readonly Row[]; readonly next: { readonly nextCursor?: string } } {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const isMore = rows.length > limit && last !== undefined;
  return { shown, next: isMore ? { nextCursor: writeCursor(placeOf(last)) } : {} };
}
