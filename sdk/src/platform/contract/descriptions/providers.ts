// Written by `npm run contract`: what the docstrings of the interfaces say, by place. Change it there.

/** What members of bodies of providers mean. */
export const PROVIDERS_DESCRIPTIONS: Readonly<Record<string, string>> = {
  'ContactDetails/country': 'ISO 3166-1 alpha-2.',
  ContactDetails: 'How a provider that no registry lists can be reached.',
  'ProviderEntry/frn': 'FCC Registration Number, ten digits.',
  'ProviderEntry/country': 'ISO 3166-1 alpha-2.',
  'ProviderEntry/implementation': 'How far STIR/SHAKEN is in place, as filed.\n\nSee 47 CFR 64.6305(d).',
  'ProviderEntry/ocns': 'Operating Company Numbers, four characters each.',
  'ProviderEntry/principals/*/role': '`owner`, `officer`, `director` or what else was filed.',
  'ProviderEntry/affiliates/*/relation': '`parent`, `subsidiary`, `common-owner` or what else was filed.',
  'ProviderEntry/certified24HoursOn':
    'When it certified that it answers tracebacks within 24 hours, RFC 3339 full date; absent where it did not.',
  'ProviderEntry/removal/removedOn': 'RFC 3339 full date.',
  'ProviderEntry/removal/orderUrl': 'Where the order can be read.',
  'ProviderEntry/filingUpdatedOn': 'When the filing was last changed, RFC 3339 full date.',
  'ProviderEntry/updatedAt': 'When this entry was last changed, RFC 3339 in UTC.',
  ProviderEntry:
    'A voice service provider in the registry: what it filed in the Robocall Mitigation Database, and its other identifiers.\n\nSee 47 CFR 64.6305.',
  'ProviderEntryPage/nextCursor': 'Absent on the last page.',
  ProviderEntryPage:
    'A stretch of a list. The next one is asked for with `cursor`, which means something to the platform alone and is good for an hour at least. What is added meanwhile may come or not; what was there all the while comes once.',
  'ProviderReference/providerId': 'In the registry of the traceback platform, where both sides have it.',
  'ProviderReference/name': 'Business name, as it is filed or as it was stated.',
  'ProviderReference/ocn': 'Operating Company Number, four characters.',
  'ProviderReference/frn': 'FCC Registration Number, ten digits.',
  ProviderReference:
    'A voice service provider as whoever writes knows it: by its name, and by as many identifiers as there are.',
  'ProviderScorecard/from': 'Stretch that is counted, RFC 3339 in UTC; `from` is in it, `to` is not.',
  'ProviderScorecard/requests/unanswered': 'Due, and not answered.',
  'ProviderScorecard/requests/open': 'Not due yet.',
  'ProviderScorecard/tracedCalls': 'Different calls that the requests were about: each traceback follows one.',
  'ProviderScorecard/answers': 'Last answers by what they say; arms that did not come are left out.',
  'ProviderScorecard/medianAnswerSeconds': 'From issue to answer, seconds; absent where nothing was answered.',
  'ProviderScorecard/disputed': "Answers that a neighbour's answer contradicts, where evidence did not decide.",
  'ProviderScorecard/concerns/*/concern':
    'What makes a provider look non-cooperative, as the attorneys general of 51 jurisdictions listed it in 2020:\n- `not-participating`: requests go unanswered or refused\n- `repeated-origin`: illegal calls begin or are taken in there again and again\n- `regular-point-of-entry`: foreign illegal calls regularly come in there\n- `insufficient-records`: records are repeatedly missing, gone or ambiguous',
  'ProviderScorecard/concerns': 'Each with the count that gave rise to it.',
  'ProviderScorecard/excluded/*/reason':
    "Why a request is left out of all rates: withdrawn, the platform's own outage, or contested by the provider with reason.",
  'ProviderScorecard/excluded': 'Requests that are left out of all rates, by why.',
  'ProviderScorecard/rates/*/concern':
    'What makes a provider look non-cooperative, as the attorneys general of 51 jurisdictions listed it in 2020:\n- `not-participating`: requests go unanswered or refused\n- `repeated-origin`: illegal calls begin or are taken in there again and again\n- `regular-point-of-entry`: foreign illegal calls regularly come in there\n- `insufficient-records`: records are repeatedly missing, gone or ambiguous',
  'ProviderScorecard/rates/*/hits': 'Requests that speak for it.',
  'ProviderScorecard/rates/*/trials': 'Requests that could have.',
  'ProviderScorecard/rates/*/rate': '`hits` of `trials`; 0 where there are none.',
  'ProviderScorecard/rates/*/lower': 'Wilson score interval, 95 %.',
  'ProviderScorecard/rates/*/campaigns': 'Campaigns that the requests which speak for it belong to.',
  'ProviderScorecard/rates/*/threshold': 'Share above which the lower bound has to be for a concern.',
  'ProviderScorecard/rates/*/isTooFew': 'Too few requests to say anything: never a concern.',
  'ProviderScorecard/rates/*/qValue':
    'Of the exact test, after Benjamini and Hochberg over all providers of that time; absent where there were too few requests.',
  'ProviderScorecard/rates': 'What the concerns rest on, those that are none too.',
  'ProviderScorecard/answerTimes/quantiles': 'Seconds within which that share of the answers was there.',
  'ProviderScorecard/answerTimes/histogram':
    'Answers that took at most so long and longer than those before; the last entry has no upper end.',
  'ProviderScorecard/answerTimes': 'Absent where nothing was answered.',
  'ProviderScorecard/contests/pending': 'Counted and marked until it is decided.',
  'ProviderScorecard/contests/upheld': 'Left out of all rates.',
  ProviderScorecard:
    'How a provider answers, over a stretch of time: rates and reasons, never a yes or no.\n\nSee TRACED Act section 13(d); 47 CFR 64.1203.',
};
