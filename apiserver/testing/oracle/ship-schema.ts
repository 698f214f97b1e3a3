import type { Schema } from '../../extension/schema.js';

const text: Schema = { type: 'string' };

/** A custom kind with every form of list and map that a definition can ask for. */
export const shipSchema: Schema = {
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      properties: {
        name: text,
        crew: { type: 'array', items: text, 'x-kubernetes-list-type': 'set' },
        ports: { type: 'array', items: text },
        cargo: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['deck', 'side'],
          items: {
            type: 'object',
            required: ['deck'],
            properties: {
              deck: text,
              side: { type: 'string', default: 'port' },
              weight: text,
              marks: { type: 'array', items: text, 'x-kubernetes-list-type': 'set' },
              owners: {
                type: 'array',
                'x-kubernetes-list-type': 'map',
                'x-kubernetes-list-map-keys': ['name'],
                items: { type: 'object', required: ['name'], properties: { name: text, share: text } },
              },
            },
          },
        },
        flags: { type: 'object', additionalProperties: text },
        rigging: {
          type: 'object',
          'x-kubernetes-map-type': 'atomic',
          properties: { mast: text, sail: text },
        },
        hull: { type: 'object', properties: { planks: text, keel: { type: 'object', properties: { oak: text } } } },
      },
    },
  },
};

/** What the original adds to the schema of every custom kind. */
export const resourceProperties = {
  apiVersion: { type: 'string' },
  kind: { type: 'string' },
  metadata: { $ref: '#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta' },
};
