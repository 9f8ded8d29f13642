/** Header fields of what is posted to a webhook. @see https://github.com/standard-webhooks/standard-webhooks */
export const WEBHOOK_FIELDS: readonly {
  readonly name: string;
  readonly description: string;
  readonly schema: Readonly<Record<string, string | number>>;
}[] = [
  {
    name: 'webhook-id',
    description: 'Of the event: the same for every attempt and for a replay.',
    schema: { type: 'string', minLength: 1, maxLength: 128 },
  },
  {
    name: 'webhook-timestamp',
    description: 'When this attempt was made, seconds since the epoch. More than five minutes from now: refuse it.',
    schema: { type: 'string', pattern: '^[0-9]{1,12}$' },
  },
  {
    name: 'webhook-signature',
    description:
      '`v1,` and the base64 of HMAC-SHA-256 over `{webhook-id}.{webhook-timestamp}.{body}`; several with a space between while a secret is changed.',
    schema: { type: 'string', minLength: 1, maxLength: 1_024 },
  },
];
