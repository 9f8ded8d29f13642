import type { FccNotice, NoticeResponse } from '../../wire/notice.js';
import { fccNoticeSchema } from '../../wire/notice.schema.js';
import type { PlatformRequestOptions } from '../request-options.js';
import type { Requester } from '../requester.js';
import { posting } from './json-calls.js';
import { pagedList } from './paged-list.js';
import type { PagedList, PageParams } from './paged-list.js';

/**
 * Notices of suspected illegal traffic to the calling provider. Everything rejects with {@link HopbackError}.
 * @see 47 CFR 64.1200(n)(2)
 */
export interface NoticeCalls extends PagedList<FccNotice, PageParams> {
  /** States what was done, or what was found; `responseId` tells repeats. */
  readonly respond: (
    params: { readonly noticeId: string } & Omit<NoticeResponse, 'format'>,
    options?: PlatformRequestOptions,
  ) => Promise<FccNotice>;
}

const NOTICES = '/v1/notices';

/** Makes the calls of this group. */
export function noticeCalls(requester: Requester): NoticeCalls {
  return {
    ...pagedList(requester, { route: NOTICES, item: fccNoticeSchema }),
    respond: ({ noticeId, ...response }, options) =>
      requester.send(
        posting(`${NOTICES}/{noticeId}/responses`, fccNoticeSchema, {
          path: { noticeId },
          body: { format: 'hopback.notice-response.1', ...response },
        }),
        options,
      ),
  };
}
