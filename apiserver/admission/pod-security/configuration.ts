import { fieldPath, onlyFields, optionalRecord, strings, text, type Fields } from '../../decode/document-fields.js';
import { duplicate, invalid, required, type FieldError } from '../../validation/field-error.js';
import { isDns1123Label, isDns1123Subdomain } from '../../validation/names.js';
import { openPolicy, parseLevel, parseVersion, type LevelVersion, type Policy } from './policy.js';

/** What holds where the labels of a namespace say nothing, and for whom nothing holds. */
export interface PodSecurityConfiguration {
  readonly defaults: Policy;
  readonly exemptions: Exemptions;
}

export interface Exemptions {
  readonly usernames: ReadonlySet<string>;
  readonly namespaces: ReadonlySet<string>;
  readonly runtimeClasses: ReadonlySet<string>;
}

/** As without a configuration: nothing is asked for, and nobody is exempt. */
export const openConfiguration: PodSecurityConfiguration = {
  defaults: openPolicy,
  exemptions: { usernames: new Set(), namespaces: new Set(), runtimeClasses: new Set() },
};

const modes = ['enforce', 'audit', 'warn'] as const;

/** Reads pod-security.admission.config.k8s.io PodSecurityConfiguration; what is wrong in it is added to `errors`. */
export function readPodSecurityConfiguration(
  root: Fields,
  path: string,
  errors: FieldError[],
): PodSecurityConfiguration {
  onlyFields(root, ['apiVersion', 'kind', 'defaults', 'exemptions'], path);
  const defaults = optionalRecord(root, 'defaults', path);
  const at = fieldPath(path, 'defaults');
  onlyFields(
    defaults,
    modes.flatMap((mode) => [mode, `${mode}-version`]),
    at,
  );
  const modeOf = (mode: (typeof modes)[number]): LevelVersion => {
    const level = parseLevel(text(defaults, mode, at) || 'privileged');
    const version = parseVersion(text(defaults, `${mode}-version`, at) || 'latest');
    if (typeof level === 'object') errors.push(invalid(`${at}.${mode}`, defaults[mode], level.why));
    if (typeof version === 'object') {
      errors.push(invalid(`${at}.${mode}-version`, defaults[`${mode}-version`], version.why));
    }
    return {
      level: typeof level === 'object' ? 'restricted' : level,
      minor: typeof version === 'object' ? Infinity : version,
    };
  };
  const exemptions = optionalRecord(root, 'exemptions', path);
  const exemptionsAt = fieldPath(path, 'exemptions');
  onlyFields(exemptions, ['usernames', 'namespaces', 'runtimeClasses'], exemptionsAt);
  const namesOf = (field: string, check: (name: string) => readonly string[]): ReadonlySet<string> =>
    readNames(strings(exemptions, field, exemptionsAt), `${exemptionsAt}.${field}`, check, errors);
  return {
    defaults: { enforce: modeOf('enforce'), audit: modeOf('audit'), warn: modeOf('warn') },
    exemptions: {
      namespaces: namesOf('namespaces', isDns1123Label),
      runtimeClasses: namesOf('runtimeClasses', isDns1123Subdomain),
      usernames: namesOf('usernames', () => []),
    },
  };
}

function readNames(
  names: readonly string[],
  path: string,
  check: (name: string) => readonly string[],
  errors: FieldError[],
): ReadonlySet<string> {
  const seen = new Set<string>();
  for (const [i, name] of names.entries()) {
    const problems = check(name);
    if (problems.length > 0) errors.push(invalid(`${path}[${i}]`, name, problems.join(', ')));
    else if (name === '') errors.push(required(`${path}[${i}]`));
    else if (seen.has(name)) errors.push(duplicate(`${path}[${i}]`, name));
    else seen.add(name);
  }
  return seen;
}
