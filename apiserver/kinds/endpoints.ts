import { endpoints } from '../../shared/api/generated/resources.js';
import { defineKind } from './kind.js';

export const endpointsDefinition = defineKind({
  resource: endpoints,
  singularName: 'endpoints',
  shortNames: ['ep'],
  allowCreateOnUpdate: true,
});
