import { deviceclasses } from '../../shared/api/generated/resources.js';
import type { DeviceClass } from '../../shared/api/generated/types.js';
import { validateConfiguration, validateList, validateSelectors } from '../validation/device.js';
import { append, invalid, type FieldError } from '../validation/field-error.js';
import { isExtendedResource } from '../validation/resource-name.js';
import { defineKind } from './kind.js';

const MAX_CONFIGS = 32;

export const deviceClassDefinition = defineKind<DeviceClass>({
  resource: deviceclasses,
  hasGeneration: true,
  strategy: {
    defaults: (deviceClass) => {
      deviceClass.spec ??= {};
    },
    validate,
  },
});

function validate({ spec: { selectors, config, extendedResourceName: name } }: DeviceClass): FieldError[] {
  const errors = validateSelectors(selectors, 'spec.selectors');
  append(errors, validateList(config, MAX_CONFIGS, 'spec.config', validateConfiguration));
  if (name !== undefined && !isExtendedResource(name))
    errors.push(invalid('spec.extendedResourceName', name, 'must be a valid extended resource name'));
  return errors;
}
