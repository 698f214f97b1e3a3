import { secrets } from '../../shared/api/generated/resources.js';
import type { Secret } from '../../shared/api/generated/types.js';
import { validateSecret, validateSecretUpdate } from '../validation/config-data.js';
import { ageColumn, column, nameColumn } from './column.js';
import { defineKind } from './kind.js';

export const secretDefinition = defineKind<Secret>({
  resource: secrets,
  columns: [
    nameColumn(),
    column('Type', ({ type }) => type ?? '', {
      description: 'Used to facilitate programmatic handling of secret data.',
    }),
    column('Data', ({ data }) => Object.keys(data ?? {}).length, { description: 'How many entries the secret has.' }),
    ageColumn(),
  ],
  selectableFields: { type: ({ type }) => type ?? '' },
  strategy: { defaults: setDefaults, validate: validateSecret, validateUpdate: validateSecretUpdate },
});

/** stringData is only a way to write: it is merged into data and never read back. */
function setDefaults(secret: Secret): void {
  secret.type ||= 'Opaque';
  if (secret.stringData === undefined) return;
  const data = new Map(Object.entries(secret.data ?? {}));
  for (const [key, value] of Object.entries(secret.stringData ?? {}))
    data.set(key, Buffer.from(value).toString('base64'));
  secret.data = Object.fromEntries(data);
  delete secret.stringData;
}
