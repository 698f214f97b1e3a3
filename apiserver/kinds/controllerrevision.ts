import { controllerrevisions } from '../../shared/api/generated/resources.js';
import { defineKind } from './kind.js';

export const controllerRevisionDefinition = defineKind({
  resource: controllerrevisions,
});
