import { CelEnvironment, ResultTypeError, type Program } from '../cel/environment.js';
import { CelCompileError } from '../cel/errors.js';
import { boolType, objectType, opaqueType, resultTypeName, type CelType } from '../cel/types.js';
import { forbidden, invalid, type FieldError } from './field-error.js';

/** Units of cost that one selector may take for one device. */
const maxSelectorCost = 1_000_000;

const MAX_ENTRIES = 32;
const text = (maxSize: number): CelType => ({ kind: 'string', maxSize });
const attribute: CelType = { kind: 'dyn', isFree: false, maxSize: 64 };
const mapOf = (keys: CelType, values: CelType): CelType => ({ kind: 'map', keys, values, maxSize: MAX_ENTRIES });
const domain = text(63);
const id = text(32);

/** The variable `device` of selectors: attributes and capacities by domain, then by name. */
const deviceType: CelType = objectType('kubernetes.DRADevice', [
  ['driver', text(63)],
  ['attributes', mapOf(domain, mapOf(id, attribute))],
  ['capacity', mapOf(domain, mapOf(id, opaqueType('kubernetes.Quantity')))],
  ['allowMultipleAllocations', boolType],
]);
const environment = new CelEnvironment({ variables: { device: deviceType }, hasBind: true });

/**
 * A selector of devices, to be run with the variable `device`.
 * @throws CelCompileError
 */
const compileDeviceSelector = (expression: string): Program => environment.compile(expression, 'bool');

/** Whether a selector compiles, and always ends in time. */
export function validateDeviceExpression(expression: string, path: string): FieldError[] {
  try {
    const { estimatedCost } = compileDeviceSelector(expression);
    return estimatedCost > maxSelectorCost ? [forbidden(path, 'too complex, exceeds cost limit')] : [];
  } catch (error) {
    if (error instanceof CelCompileError) return [invalid(path, expression, problemOf(error))];
    throw error;
  }
}

const problemOf = (error: CelCompileError): string =>
  error instanceof ResultTypeError
    ? `must evaluate to bool or the unknown type, not ${resultTypeName(error.type)}`
    : `compilation failed: ${error.message}`;
