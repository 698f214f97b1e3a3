import { priorityclasses } from '../../shared/api/generated/resources.js';
import { defineKind } from './kind.js';

export const priorityClassDefinition = defineKind({
  resource: priorityclasses,
  shortNames: ['pc'],
  hasGeneration: true,
});
