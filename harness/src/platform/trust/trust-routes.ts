import type { ProblemCode, RouteParameter } from '@hopback/sdk/platform';
import type { ServedRoute, StaffRoles } from '../core/index.js';

const TAG = 'Organizations and clients';
const STAFF = ['staff'] as const;
const BODY: readonly ProblemCode[] = ['invalid-body', 'too-large', 'unsupported-media-type'];

const inPath = (name: string, description: string): RouteParameter => ({
  name,
  description,
  in: 'path',
  form: 'identifier',
  isRequired: true,
});
const inQuery = (name: string, description: string, form: RouteParameter['form']): RouteParameter => ({
  name,
  description,
  form,
  in: 'query',
  isRequired: false,
});
const PAGING = [
  inQuery('cursor', 'Start of the page: `nextCursor` of the previous page.', 'cursor'),
  inQuery('limit', 'Items per page, 1 to 500; default 50.', 'page-limit'),
];
const ORGANIZATION = inPath('organizationId', 'Of the organization.');
const CLIENT = inPath('clientId', 'Of the client.');
const json = (body: string): NonNullable<ServedRoute['request']> => ({ kind: 'json', body });
const answered = (status: 200 | 201, body: string, description: string): ServedRoute['response'] => ({
  ...{ kind: 'json', status, body, description },
});
const nothing = (description: string): ServedRoute['response'] => ({ kind: 'nothing', status: 204, description });

const ORGANIZATIONS: readonly ServedRoute[] = [
  {
    operationId: 'registerOrganization',
    method: 'POST',
    path: '/v1/organizations',
    summary: 'Register an organization',
    description: 'By operators. The id of a carrier is that of its entry in the registry of providers.',
    parameters: [],
    request: json('OrganizationRegistration'),
    response: answered(201, 'Organization', 'The organization.'),
    problems: [...BODY, 'conflict'],
    idempotency: 'by-content',
    tag: TAG,
    allowed: STAFF,
  },
  {
    operationId: 'listOrganizations',
    method: 'GET',
    path: '/v1/organizations',
    summary: 'List organizations',
    description: 'By id.',
    parameters: [inQuery('kind', 'Only of this kind; default all.', ['carrier', 'app', 'agency', 'staff']), ...PAGING],
    response: answered(200, 'OrganizationPage', 'Organizations.'),
    problems: ['invalid-parameter'],
    idempotency: 'safe',
    tag: TAG,
    allowed: STAFF,
  },
  {
    operationId: 'fetchOrganization',
    method: 'GET',
    path: '/v1/organizations/{organizationId}',
    summary: 'Fetch one organization',
    description: 'As it is now.',
    parameters: [ORGANIZATION],
    response: answered(200, 'Organization', 'The organization.'),
    problems: ['invalid-parameter', 'not-found'],
    idempotency: 'safe',
    tag: TAG,
    allowed: STAFF,
  },
  {
    operationId: 'updateOrganization',
    method: 'POST',
    path: '/v1/organizations/{organizationId}',
    summary: 'Change an organization',
    description: 'By operators. `state` lets one in again that was revoked; its clients need new tokens then.',
    parameters: [ORGANIZATION],
    request: json('OrganizationChange'),
    response: answered(200, 'Organization', 'The organization as it is now.'),
    problems: [...BODY, 'invalid-parameter', 'not-found', 'conflict'],
    idempotency: 'by-content',
    tag: TAG,
    allowed: STAFF,
  },
  {
    operationId: 'revokeOrganization',
    method: 'DELETE',
    path: '/v1/organizations/{organizationId}',
    summary: 'Revoke an organization',
    description: 'By operators. All tokens of its clients end now. Its data stays.',
    parameters: [ORGANIZATION],
    response: nothing('It is let in no longer.'),
    problems: ['invalid-parameter', 'not-found', 'conflict'],
    idempotency: 'by-content',
    tag: TAG,
    allowed: STAFF,
  },
];

const CLIENTS: readonly ServedRoute[] = [
  {
    operationId: 'registerClient',
    method: 'POST',
    path: '/v1/clients',
    summary: 'Register a client of an organization',
    description: 'By operators, with the public halves of its keys.',
    parameters: [],
    request: json('ClientRegistration'),
    response: answered(201, 'Client', 'The client.'),
    problems: [...BODY, 'conflict'],
    idempotency: 'by-content',
    tag: TAG,
    allowed: STAFF,
  },
  {
    operationId: 'listClients',
    method: 'GET',
    path: '/v1/clients',
    summary: 'List clients',
    description: 'By id, with their keys.',
    parameters: [inQuery('organizationId', 'Only of this organization; default all.', 'identifier'), ...PAGING],
    response: answered(200, 'ClientPage', 'Clients.'),
    problems: ['invalid-parameter'],
    idempotency: 'safe',
    tag: TAG,
    allowed: STAFF,
  },
  {
    operationId: 'fetchClient',
    method: 'GET',
    path: '/v1/clients/{clientId}',
    summary: 'Fetch one client',
    description: 'With its keys.',
    parameters: [CLIENT],
    response: answered(200, 'Client', 'The client.'),
    problems: ['invalid-parameter', 'not-found'],
    idempotency: 'safe',
    tag: TAG,
    allowed: STAFF,
  },
  {
    operationId: 'updateClient',
    method: 'POST',
    path: '/v1/clients/{clientId}',
    summary: 'Change a client',
    description: 'By operators. Other roles count from the next call on.',
    parameters: [CLIENT],
    request: json('ClientChange'),
    response: answered(200, 'Client', 'The client as it is now.'),
    problems: [...BODY, 'invalid-parameter', 'not-found', 'conflict'],
    idempotency: 'by-content',
    tag: TAG,
    allowed: STAFF,
  },
  {
    operationId: 'revokeClient',
    method: 'DELETE',
    path: '/v1/clients/{clientId}',
    summary: 'Revoke a client',
    description: 'By operators. Its tokens end now.',
    parameters: [CLIENT],
    response: nothing('It is let in no longer.'),
    problems: ['invalid-parameter', 'not-found', 'conflict'],
    idempotency: 'by-content',
    tag: TAG,
    allowed: STAFF,
  },
];

const KEYS: readonly ServedRoute[] = [
  {
    operationId: 'addClientKey',
    method: 'POST',
    path: '/v1/clients/{clientId}/keys',
    summary: 'Add a key to a client',
    description: 'By operators: the new one beside the old one, until that is taken away.',
    parameters: [CLIENT],
    request: json('ClientKeyRegistration'),
    response: answered(201, 'Client', 'The client with its keys.'),
    problems: [...BODY, 'invalid-parameter', 'not-found', 'conflict'],
    idempotency: 'by-content',
    tag: TAG,
    allowed: STAFF,
  },
  {
    operationId: 'removeClientKey',
    method: 'DELETE',
    path: '/v1/clients/{clientId}/keys/{keyId}',
    summary: 'Take a key away from a client',
    description: 'By operators. Tokens that were given for it end now.',
    parameters: [CLIENT, inPath('keyId', '`kid` of the key.')],
    response: nothing('It is believed no longer.'),
    problems: ['invalid-parameter', 'not-found'],
    idempotency: 'by-content',
    tag: TAG,
    allowed: STAFF,
  },
];

/** Routes by which operators say who may call. */
export const TRUST_ROUTES: readonly ServedRoute[] = [...ORGANIZATIONS, ...CLIENTS, ...KEYS];

/** All of staff sees who may call; operators alone change it. */
export const TRUST_ROLES: StaffRoles = {
  operator: [
    ...['registerOrganization', 'updateOrganization', 'revokeOrganization', 'registerClient', 'updateClient'],
    ...['revokeClient', 'addClientKey', 'removeClientKey'],
  ],
};
