import type { ServedRoute } from '../core/index.js';
import { routesOf } from '../domain/wire/routes.js';
import { PAGING, inQuery, inPath } from '@hopback/sdk/internal';

const ORGANIZATION = inPath('organizationId', 'Of the organization.');
const CLIENT = inPath('clientId', 'Of the client.');
const { read, change, remove } = routesOf('Organizations and clients');

/** Routes by which operators say who may call. */
export const TRUST_ROUTES: readonly ServedRoute[] = [
  change('registerOrganization', '/v1/organizations', {
    role: 'operator',
    summary: 'Register an organization',
    description: 'By operators. The id of a carrier is that of its entry in the registry of providers.',
    body: 'OrganizationRegistration',
    answer: ['Organization', 'The organization.'],
    status: 201,
    problems: ['conflict'],
  }),
  read('listOrganizations', '/v1/organizations', {
    summary: 'List organizations',
    description: 'By id.',
    parameters: [inQuery('kind', 'Only of this kind; default all.', ['carrier', 'app', 'agency', 'staff']), ...PAGING],
    answer: ['OrganizationPage', 'Organizations.'],
  }),
  read('fetchOrganization', '/v1/organizations/{organizationId}', {
    summary: 'Fetch one organization',
    description: 'As it is now.',
    parameters: [ORGANIZATION],
    answer: ['Organization', 'The organization.'],
  }),
  change('updateOrganization', '/v1/organizations/{organizationId}', {
    role: 'operator',
    summary: 'Change an organization',
    description: 'By operators. `state` readmits a revoked one; its clients then need new tokens.',
    parameters: [ORGANIZATION],
    body: 'OrganizationChange',
    answer: ['Organization', 'The organization as it is now.'],
    problems: ['conflict'],
  }),
  remove('revokeOrganization', '/v1/organizations/{organizationId}', {
    role: 'operator',
    summary: 'Revoke an organization',
    description: 'By operators. All tokens of its clients end now. Its data stays.',
    parameters: [ORGANIZATION],
    answer: 'Its access is revoked.',
    problems: ['conflict'],
  }),
  change('registerClient', '/v1/clients', {
    role: 'operator',
    summary: 'Register a client of an organization',
    description: 'By operators, with the public halves of its keys.',
    body: 'ClientRegistration',
    answer: ['Client', 'The client.'],
    status: 201,
    problems: ['conflict'],
  }),
  read('listClients', '/v1/clients', {
    summary: 'List clients',
    description: 'By id, with their keys.',
    parameters: [inQuery('organizationId', 'Only of this organization; default all.', 'identifier'), ...PAGING],
    answer: ['ClientPage', 'Clients.'],
  }),
  read('fetchClient', '/v1/clients/{clientId}', {
    summary: 'Fetch one client',
    description: 'With its keys.',
    parameters: [CLIENT],
    answer: ['Client', 'The client.'],
  }),
  change('updateClient', '/v1/clients/{clientId}', {
    role: 'operator',
    summary: 'Change a client',
    description: 'By operators. Other roles count from the next call on.',
    parameters: [CLIENT],
    body: 'ClientChange',
    answer: ['Client', 'The client as it is now.'],
    problems: ['conflict'],
  }),
  remove('revokeClient', '/v1/clients/{clientId}', {
    role: 'operator',
    summary: 'Revoke a client',
    description: 'By operators. Its tokens end now.',
    parameters: [CLIENT],
    answer: 'Its access is revoked.',
    problems: ['conflict'],
  }),
  change('addClientKey', '/v1/clients/{clientId}/keys', {
    role: 'operator',
    summary: 'Add a key to a client',
    description: 'By operators: the new one beside the old one, until that is taken away.',
    parameters: [CLIENT],
    body: 'ClientKeyRegistration',
    answer: ['Client', 'The client with its keys.'],
    status: 201,
    problems: ['conflict'],
  }),
  remove('removeClientKey', '/v1/clients/{clientId}/keys/{keyId}', {
    role: 'operator',
    summary: 'Take a key away from a client',
    description: 'By operators. Tokens that were given for it end now.',
    parameters: [CLIENT, inPath('keyId', '`kid` of the key.')],
    answer: 'The key is no longer accepted.',
  }),
];
