import { services } from '../../shared/api/generated/resources.js';
import { defineKind } from './kind.js';

export const serviceDefinition = defineKind({
  resource: services,
  shortNames: ['svc'],
  categories: ['all'],
  subresources: ['status', 'proxy'],
  allowCreateOnUpdate: true,
});
