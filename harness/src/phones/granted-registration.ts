/** What the registrar granted. */
export interface Registration {
  /** The URI that it was told to reach the phone by. Its host exists nowhere: it is the connection that leads to the phone. */
  readonly contactUri: string;
  /** How long it knows the phone, seconds, unless it is told again. */
  readonly expiresSeconds: number;
}
