// Written by `npm run contract`: what the docstrings of the interfaces say, by place. Change it there.

/** What members of bodies of alerts mean. */
export const ALERTS_DESCRIPTIONS: Readonly<Record<string, string>> = {
  'Alert/kind':
    'What an alert is about.\n- `campaign-suspected`, `campaign-resumed`: calls that look like a campaign; one that was dormant calls again\n- `live-campaign`: one that calls now, so that a temporary restraining order would stop it\n- `provider-non-responsive`: requests to a provider go unanswered\n- `point-of-entry`: foreign illegal calls come in at a provider again and again',
  'Alert/severity': 'How soon somebody should look.',
  'Alert/raisedAt': 'RFC 3339 in UTC.',
  'Alert/figures': 'What it rests on, counted.',
  'Alert/acknowledged/acknowledgedBy': 'Who, by role or office.',
  'Alert/acknowledged': "First acknowledgement by the caller's organization.",
  Alert:
    'Tells an agency or provider of what it may want to act on, with enough to open an investigation and no record that needs a demand.',
  'AlertAcknowledgement/acknowledgedBy': 'Who, by role or office.',
  AlertAcknowledgement: 'Somebody has seen an alert. Said again it changes nothing.',
  'AlertPage/nextCursor': 'Absent on the last page.',
  AlertPage:
    'A stretch of a list. The next one is asked for with `cursor`, which means something to the platform alone and is good for an hour at least. What is added meanwhile may come or not; what was there all the while comes once.',
  'AlertRaisedEvent/id': 'Unique with `source`; also the `webhook-id` and the id of the stream.',
  'AlertRaisedEvent/source': 'URI reference of the platform.',
  'AlertRaisedEvent/subject': 'What it is about, the id of the request, traceback, notice or other.',
  'AlertRaisedEvent/time': 'RFC 3339 in UTC.',
  AlertRaisedEvent: 'Something that an agency or provider may want to act on. Holds no record that needs a demand.',
};
