/** A script that robocallers read out. */
export interface RobocallScript {
  /** BCP 47. */
  readonly language: string;
  /** What kind of call it is. */
  readonly topic: 'impersonation' | 'tech-support' | 'finance' | 'utility' | 'health' | 'vehicle' | 'travel' | 'debt';
  /** With words in braces that vary from call to call. */
  readonly text: string;
}

/** Words in braces that every script may have. A CSV file may bring others along. */
export const SCRIPT_WORDS: readonly string[] = ['name', 'company', 'amount', 'number', 'key', 'callBack', 'day'];

/** Scripts by name, for {@link ScenarioCaller.script}. All are invented: none is of a real recording. */
export const ROBOCALL_SCRIPTS: Readonly<Record<string, RobocallScript>> = {
  'ssa-suspended': {
    language: 'en',
    topic: 'impersonation',
    text: 'This call is from the inspector of the social security administration. My name is officer {name}. We are compelled to suspend your social security number because of suspicious activity in the south border of Texas. To speak with an officer press {key} now, or call our federal office at {callBack} before you are arrested.',
  },
  'irs-lawsuit': {
    language: 'en',
    topic: 'impersonation',
    text: 'Final notice from the tax crime unit. A lawsuit about unpaid taxes of {amount} dollars is being filed under your name, case number {number}. If we do not hear from you, the local sheriff will be at your door by {day}. Return this call at {callBack} and ask for agent {name}.',
  },
  'shop-order': {
    language: 'en',
    topic: 'impersonation',
    text: 'Hello, {name} here from the fraud desk of your online store. A telephone for {amount} dollars was ordered through your account and leaves the warehouse tonight. If you did not place this order press {key} to cancel it, or call {callBack} to have your money returned.',
  },
  'computer-renewal': {
    language: 'en',
    topic: 'tech-support',
    text: 'Dear customer, the protection plan of your computer is renewed today, and {amount} dollars will be taken from your bank account for {number} months. To cancel the renewal and get a refund call the billing department at {callBack}. Again, the number is {callBack}.',
  },
  'card-rates': {
    language: 'en',
    topic: 'finance',
    text: 'This is {name} with account services. Your good record of payments makes you eligible to lower the interest on all of your credit cards to as little as {number} percent, for a limited time. Press {key} to speak with a specialist, or press {key} to be taken off the list.',
  },
  'student-loan': {
    language: 'en',
    topic: 'finance',
    text: 'Hi, this is {name} with the student loan assistance center. Your file has been pre approved for forgiveness of {amount} dollars under the new program, but we need one document before {day}. Please call me back on {callBack} and mention file {number}.',
  },
  'power-disconnect': {
    language: 'en',
    topic: 'utility',
    text: 'Attention, this is the disconnection department of {company}. Because of a past due balance of {amount} dollars your electric service will be shut off within {number} minutes. To stop the crew that is on its way, call {callBack} or press {key} and have a payment card ready.',
  },
  'medicare-brace': {
    language: 'en',
    topic: 'health',
    text: 'Good afternoon, I am {name} with the senior health line. Our records show that your Medicare covers a back or knee brace at no cost, and a doctor has already signed the order. To have it shipped before {day} press {key} and confirm the number on your red, white and blue card.',
  },
  'vehicle-warranty': {
    language: 'en',
    topic: 'vehicle',
    text: 'We have been trying to reach you about the extended warranty of your vehicle. You should have received a notice in the mail about the coverage that is expiring. Since we have had no answer, this is a final courtesy call before we close your file. Press {key} to renew, or call {callBack}.',
  },
  'free-cruise': {
    language: 'en',
    topic: 'travel',
    text: 'Ahoy! This is captain {name} of {company}. You have been chosen out of {number} guests of our hotels for a cruise to the islands for two, with all taxes paid but a small fee of {amount} dollars. Press {key} to claim the cabin by {day}.',
  },
  'debt-warrant': {
    language: 'en',
    topic: 'debt',
    text: 'This message is for the party at this address. My name is {name} with pre legal services. A claim for {amount} dollars is to be served at your home and your place of work on {day}. To stop it you have the right to call the firm at {callBack}, reference {number}.',
  },
  'seguro-social': {
    language: 'es',
    topic: 'impersonation',
    text: 'Le habla {name} de la oficina del seguro social. Su numero fue usado para abrir cuentas falsas en Texas y sera suspendido hoy mismo. Oprima {key} para hablar con un agente federal o llame al {callBack} antes de que cierre su caso numero {number}.',
  },
  consulado: {
    language: 'es',
    topic: 'impersonation',
    text: 'Buenas tardes, le llamamos del departamento de documentos del consulado. Hay un paquete a su nombre con tarjetas que no son suyas, y la policia abrio el expediente {number}. Para dar su declaracion oprima {key}, o comuniquese con el oficial {name} al {callBack} hoy mismo.',
  },
};
