import { configmaps } from '../../shared/api/generated/resources.js';
import { defineKind } from './kind.js';

export const configMapDefinition = defineKind({
  resource: configmaps,
  shortNames: ['cm'],
});
