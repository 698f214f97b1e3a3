import { replicasets } from '../../shared/api/generated/resources.js';
import { defineKind } from './kind.js';

export const replicaSetDefinition = defineKind({
  resource: replicasets,
  shortNames: ['rs'],
  categories: ['all'],
  subresources: ['status', 'scale'],
  hasGeneration: true,
});
