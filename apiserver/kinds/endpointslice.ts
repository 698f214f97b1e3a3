import { endpointslices } from '../../shared/api/generated/resources.js';
import type { EndpointSlice } from '../../shared/api/generated/types.js';
import { validateEndpointSlice, validateEndpointSliceUpdate } from '../validation/endpoints.js';
import { ageColumn, column, nameColumn } from './column.js';
import { defineKind } from './kind.js';

export const endpointSliceDefinition = defineKind<EndpointSlice>({
  resource: endpointslices,
  hasGeneration: true,
  columns: [
    nameColumn(),
    column('AddressType', ({ addressType }) => addressType, {
      description: 'addressType specifies the type of address carried by this EndpointSlice.',
    }),
    column(
      'Ports',
      ({ ports }) => firstOf((ports ?? []).map(({ port, name }) => String(port ?? name ?? '*'))) || '<unset>',
      {
        description: 'ports specifies the list of network ports exposed by each endpoint in this slice.',
      },
    ),
    column(
      'Endpoints',
      ({ endpoints }) => firstOf((endpoints ?? []).flatMap(({ addresses }) => addresses)) || '<unset>',
      {
        description: 'endpoints is a list of unique endpoints in this slice.',
      },
    ),
    ageColumn(),
  ],
  strategy: {
    defaults: ({ ports }) => {
      for (const port of ports ?? []) {
        port.name ??= '';
        port.protocol ||= 'TCP';
      }
    },
    validate: validateEndpointSlice,
    validateUpdate: validateEndpointSliceUpdate,
  },
});

/** The first three, and how many more there are. */
export function firstOf(texts: readonly string[]): string {
  const first = texts.slice(0, 3).join(',');
  return texts.length > 3 ? `${first} + ${texts.length - 3} more...` : first;
}
