import { namespaces } from '../../shared/api/generated/resources.js';
import { defineKind } from './kind.js';

export const namespaceDefinition = defineKind({
  resource: namespaces,
  shortNames: ['ns'],
  subresources: ['status', 'finalize'],
});
