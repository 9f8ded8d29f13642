import { expect, test } from 'vitest';
import { API_COMMANDS, routeOf } from '../../harness/src/cli/api/commands.js';
import { OPERATOR_ROUTES } from '../../harness/src/platform/operator-routes.js';
import { PLATFORM_ROUTES } from '../../sdk/src/platform/index.js';

/** Options that every command has, or that a command of a kind may have. */
const TAKEN = ['profile', 'json', 'body', 'document', 'output', 'items', 'help'];

test.each(API_COMMANDS.map((command) => [command.name, command] as const))(
  'the command %s calls an operation that there is, with options of its own',
  (_name, { operationId, body = [] }) => {
    const { parameters, request } = routeOf(operationId);
    const options = [...TAKEN, ...parameters.map(({ name }) => name), ...body.map(({ option }) => option)];
    expect(options).toEqual([...new Set(options)]);
    expect(body.length > 0 && request === undefined).toBe(false);
  },
);

test('no two commands have one name, and no two operations either', () => {
  const names = API_COMMANDS.map(({ name }) => name);
  expect(names).toEqual([...new Set(names)]);
  const operations = [...PLATFORM_ROUTES, ...OPERATOR_ROUTES].map(({ operationId }) => operationId);
  expect(operations).toEqual([...new Set(operations)]);
});
