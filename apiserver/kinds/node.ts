import { nodes } from '../../shared/api/generated/resources.js';
import { defineKind } from './kind.js';

export const nodeDefinition = defineKind({
  resource: nodes,
  shortNames: ['no'],
  subresources: ['status', 'proxy'],
});
