/** Version of this package, as its package.json says. */
export const HARNESS_VERSION: string = '0.1.0';
