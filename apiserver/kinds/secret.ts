import { secrets } from '../../shared/api/generated/resources.js';
import { defineKind } from './kind.js';

export const secretDefinition = defineKind({
  resource: secrets,
});
