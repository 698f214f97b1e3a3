import { pods } from '../../shared/api/generated/resources.js';
import { defineKind } from './kind.js';

export const podDefinition = defineKind({
  resource: pods,
  shortNames: ['po'],
  categories: ['all'],
  subresources: [
    'status',
    'binding',
    'eviction',
    'ephemeralcontainers',
    'resize',
    'log',
    'exec',
    'attach',
    'portforward',
    'proxy',
  ],
  hasGeneration: true,
});
