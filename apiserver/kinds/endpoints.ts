import { endpoints } from '../../shared/api/generated/resources.js';
import type { Endpoints } from '../../shared/api/generated/types.js';
import { validateEndpoints } from '../validation/endpoints.js';
import { ageColumn, column, nameColumn, orNone } from './column.js';
import { defineKind } from './kind.js';
import { firstOf } from './endpointslice.js';

export const endpointsDefinition = defineKind<Endpoints>({
  resource: endpoints,
  singularName: 'endpoints',
  shortNames: ['ep'],
  allowCreateOnUpdate: true,
  deprecation: 'v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice',
  columns: [
    nameColumn(),
    column('Endpoints', (object) => orNone(firstOf(addressTexts(object))), {
      description: 'The set of all endpoints is the union of all subsets.',
    }),
    ageColumn(),
  ],
  strategy: {
    defaults: ({ subsets }) => {
      for (const { ports } of subsets ?? []) for (const port of ports ?? []) port.protocol ||= 'TCP';
    },
    validate: validateEndpoints,
  },
});

function addressTexts({ subsets }: Endpoints): string[] {
  return (subsets ?? []).flatMap(({ addresses = [], ports = [] }) => {
    // Headless services may have no ports.
    if (ports.length === 0) return addresses.map(({ ip }) => ip);
    return ports.flatMap(({ port }) => addresses.map(({ ip }) => `${ip.includes(':') ? `[${ip}]` : ip}:${port}`));
  });
}
