import { stableJson } from '../shared/api/hash.js';

/** Whether two statuses say the same; zero, empty and absent are one (the server may leave any of them out). */
export function isSameStatus(a: object | undefined, b: object | undefined): boolean {
  return stableJson(meaningful(a)) === stableJson(meaningful(b));
}

function meaningful(status: object | undefined): object {
  return Object.fromEntries(Object.entries(status ?? {}).filter(([, value]) => !isEmpty(value)));
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || value === 0 || (Array.isArray(value) && value.length === 0);
}
