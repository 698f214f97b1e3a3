import { deployments } from '../../shared/api/generated/resources.js';
import { defineKind } from './kind.js';

export const deploymentDefinition = defineKind({
  resource: deployments,
  shortNames: ['deploy'],
  categories: ['all'],
  subresources: ['status', 'scale'],
  hasGeneration: true,
});
