// Written by `npm run contract`: what the docstrings of the interfaces say, by place. Change it there.

/** What members of bodies of notices mean. */
export const NOTICES_DESCRIPTIONS: Readonly<Record<string, string>> = {
  'FccNotice/state': 'Where a notice stands.',
  'FccNotice/reference': "The Commission's own number of it.",
  'FccNotice/issuedAt': 'RFC 3339 in UTC.',
  'FccNotice/mitigationDueAt': 'By when details of mitigation are due: 48 hours.',
  'FccNotice/reportDueAt': 'By when the report of the investigation is due: 14 days.',
  'FccNotice/description': 'What is suspected, and why it is illegal.',
  'FccNotice/calls': 'Calls that stand for the traffic.',
  FccNotice: "The Commission's notice of suspected illegal traffic to a provider.\n\nSee 47 CFR 64.1200(n)(2).",
  'FccNoticePage/nextCursor': 'Absent on the last page.',
  FccNoticePage:
    'A stretch of a list. The next one is asked for with `cursor`, which means something to the platform alone and is good for an hour at least. What is added meanwhile may come or not; what was there all the while comes once.',
  'NoticeIssuedEvent/id': 'Unique with `source`; also the `webhook-id` and the id of the stream.',
  'NoticeIssuedEvent/source': 'URI reference of the platform.',
  'NoticeIssuedEvent/subject': 'What it is about, the id of the request, traceback, notice or other.',
  'NoticeIssuedEvent/time': 'RFC 3339 in UTC.',
  NoticeIssuedEvent:
    'The Commission notifies a provider of suspected illegal traffic. Details of mitigation are due in 48 hours, a report in 14 days.',
  'NoticeResponse/responseId': "The provider's own, so that the same response sent again is none more.",
  'NoticeResponse/respondedAt': 'RFC 3339 in UTC.',
  'NoticeResponse/measures/*/takenAt': 'RFC 3339 in UTC.',
  NoticeResponse: 'What a provider says to a notice: first what it did, then what it found.',
};
