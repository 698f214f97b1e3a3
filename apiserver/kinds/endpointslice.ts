import { endpointslices } from '../../shared/api/generated/resources.js';
import { defineKind } from './kind.js';

export const endpointSliceDefinition = defineKind({
  resource: endpointslices,
  hasGeneration: true,
});
