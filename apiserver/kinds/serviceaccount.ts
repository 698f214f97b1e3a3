import { serviceaccounts } from '../../shared/api/generated/resources.js';
import { defineKind } from './kind.js';

export const serviceAccountDefinition = defineKind({
  resource: serviceaccounts,
  shortNames: ['sa'],
  subresources: ['token'],
});
