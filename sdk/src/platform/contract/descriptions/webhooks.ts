// Written by `npm run contract`: what the docstrings of the interfaces say, by place. Change it there.

/** What members of bodies of webhooks mean. */
export const WEBHOOKS_DESCRIPTIONS: Readonly<Record<string, string>> = {
  'CreatedWebhookEndpoint/eventTypes': 'Absent: all.',
  'CreatedWebhookEndpoint/disabledReason':
    '`gone`: it answered 410; `failing`: nothing was delivered for days.\n\nWhy nothing is posted to an endpoint any longer.',
  'CreatedWebhookEndpoint/createdAt': 'RFC 3339 in UTC.',
  'CreatedWebhookEndpoint/secret': '`whsec_` and base64 of 24 to 64 bytes.',
  CreatedWebhookEndpoint: 'An endpoint with the secret that signs what is posted to it: shown here and never again.',
  PlatformEvent: 'An event of a kind that is known, with its data.',
  'PlatformEventEnvelope/id': 'Unique with `source`; also the `webhook-id` and the id of the stream.',
  'PlatformEventEnvelope/source': 'URI reference of the platform.',
  'PlatformEventEnvelope/subject': 'What it is about, the id of the request, traceback, notice or other.',
  'PlatformEventEnvelope/time': 'RFC 3339 in UTC.',
  PlatformEventEnvelope:
    'An event as it is posted to a webhook and sent over the stream: the same JSON. It may come twice and out of order; `id` tells repeats, and what is asked of the platform again is true.\n\nSee CloudEvents 1.0.2 section 3, CloudEvents JSON Event Format 1.0.2 section 3.',
  'PlatformFaultEvent/id': 'Unique with `source`; also the `webhook-id` and the id of the stream.',
  'PlatformFaultEvent/source': 'URI reference of the platform.',
  'PlatformFaultEvent/subject': 'What it is about, the id of the request, traceback, notice or other.',
  'PlatformFaultEvent/time': 'RFC 3339 in UTC.',
  'PlatformFaultEvent/data/subject': 'What it is about: `demand:d-1`, `production:p-1`.',
  'PlatformFaultEvent/data/fault': 'What failed, as a word: the job of the platform.',
  'PlatformFaultEvent/data/title': 'One line for people.',
  'PlatformFaultEvent/data/summary': 'What that means, and what can be done.',
  PlatformFaultEvent:
    'The platform could not do something that it owes. A legal hold that is not in place, a production that cannot be made. It comes after several attempts, and once a day while the fault lasts.',
  'RotatedWebhookSecret/previousSecretEndsAt': 'RFC 3339 in UTC.',
  RotatedWebhookSecret: 'A new secret. Until the old one ends both sign, one signature beside the other.',
  'WebhookEndpoint/eventTypes': 'Absent: all.',
  'WebhookEndpoint/disabledReason':
    '`gone`: it answered 410; `failing`: nothing was delivered for days.\n\nWhy nothing is posted to an endpoint any longer.',
  'WebhookEndpoint/createdAt': 'RFC 3339 in UTC.',
  WebhookEndpoint:
    'An address of the calling organization that events are posted to.\n\nSee https://www.standardwebhooks.com.',
  'WebhookEndpointCreation/url': '`https:`; redirects are not followed.',
  'WebhookEndpointCreation/eventTypes': 'Kinds of events; all that the caller may see where absent.',
  WebhookEndpointCreation: 'Where the platform is to post events.',
  'WebhookEndpointPage/nextCursor': 'Absent on the last page.',
  WebhookEndpointPage:
    'A stretch of a list. The next one is asked for with `cursor`, which means something to the platform alone and is good for an hour at least. What is added meanwhile may come or not; what was there all the while comes once.',
  WebhookReplay: 'What will be posted once more.',
  'WebhookReplayRequest/since': 'From when, RFC 3339 in UTC.',
  'WebhookReplayRequest/until': 'Up to when; now where absent.',
  WebhookReplayRequest: 'Which events are to be posted once more, in their order and under their old ids.',
};
