import { objectIdentifier, printableString, sequence, set, utf8String } from './der.js';

/** Attribute types that certificates of this field use in names. */
export type NameAttributeType = 'C' | 'ST' | 'L' | 'O' | 'OU' | 'CN' | 'serialNumber';

/** One attribute of a distinguished name; `encoding` defaults to PrintableString for C and serialNumber, else UTF8String. */
export interface NameAttribute {
  readonly type: NameAttributeType;
  readonly value: string;
  readonly encoding?: 'utf8' | 'printable';
}

/** A distinguished name, attributes in order, one to each RelativeDistinguishedName. */
export type TestName = readonly NameAttribute[];

/** The three attributes of the SHAKEN profile: country US, organization, common name. @see ATIS-1000080 section 6.4.1 */
export function shakenName(organization: string, commonName: string): TestName {
  return [
    { type: 'C', value: 'US' },
    { type: 'O', value: organization },
    { type: 'CN', value: commonName },
  ];
}

/** Name as DER. */
export function nameDer(name: TestName): Uint8Array {
  return sequence(
    ...name.map((attribute) => set(sequence(objectIdentifier(OIDS[attribute.type]), valueDer(attribute)))),
  );
}

/** `C=US, O=Example, CN=SHAKEN 1234`, for people. */
export function nameText(name: TestName): string {
  return name.map(({ type, value }) => `${type}=${value}`).join(', ');
}

const OIDS: Readonly<Record<NameAttributeType, string>> = {
  CN: '2.5.4.3',
  serialNumber: '2.5.4.5',
  C: '2.5.4.6',
  L: '2.5.4.7',
  ST: '2.5.4.8',
  O: '2.5.4.10',
  OU: '2.5.4.11',
};

function valueDer({ type, value, encoding }: NameAttribute): Uint8Array {
  const printable = encoding === 'printable' || (encoding === undefined && (type === 'C' || type === 'serialNumber'));
  return printable ? printableString(value) : utf8String(value);
}
