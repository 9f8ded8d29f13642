import { writeConformanceMatrix, type MatrixColumn } from '@hopback/harness/conformance';

/** The page, from the root of the repository. */
export const MATRIX_PAGE = 'docs/conformance-matrix.md';

const HEAD = `# Conformance matrix

What [the conformance suite](guides/conformance.md) found of our services and of two others: ✓ conforms, ✗ does not, – the interface cannot show it. A ✗ in a row
of level "should" is a departure from a recommendation; the service conforms nevertheless. A service may leave to whoever configures it what a row asks
for: what was configured stands below the first table.

Written by \`npm run matrix\`, which runs every cell; \`test/peers/conformance-matrix.test.ts\` holds this page against what it has just seen.

`;

/** The whole text of the page. */
export const matrixPage = (columns: readonly MatrixColumn[]): string => HEAD + writeConformanceMatrix(columns);
