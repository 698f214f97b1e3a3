import type {
  AppArmorProfile,
  PodSecurityContext,
  PodSpec,
  SeccompProfile,
  SecurityContext,
} from '../../shared/api/generated/types.js';
import {
  append,
  duplicate,
  invalid,
  invalidEach,
  notSupported,
  optionalOneOf,
  required,
  tooLong,
  type FieldError,
} from './field-error.js';
import { validateLocalPath } from './local-path.js';
import { rangeMessage } from './names.js';
import { repeats } from './repeats.js';

const PROFILES = ['Localhost', 'RuntimeDefault', 'Unconfined'];
const SYSCTL = '^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$';
const SYSCTL_RE = new RegExp(SYSCTL);
const MAX_ID = 0xffffffff;

const idProblems = (id: number): string[] => (id >= 0 && id <= MAX_ID ? [] : [rangeMessage(0, MAX_ID)]);
const validateId = (id: number | undefined, path: string): FieldError[] =>
  id === undefined ? [] : invalidEach(path, id, idProblems(id));

export function validatePodSecurityContext(spec: PodSpec, path: string): FieldError[] {
  const context = spec.securityContext;
  if (!context) return [];
  const errors = [
    ...validateId(context.fsGroup, `${path}.fsGroup`),
    ...validateId(context.runAsUser, `${path}.runAsUser`),
    ...validateId(context.runAsGroup, `${path}.runAsGroup`),
    ...(context.supplementalGroups ?? []).flatMap((id, index) =>
      validateId(id, `${path}.supplementalGroups[${index}]`),
    ),
  ];
  if (spec.shareProcessNamespace && spec.hostPID)
    errors.push(
      invalid(`${path}.shareProcessNamespace`, true, 'ShareProcessNamespace and HostPID cannot both be enabled'),
    );
  return [
    ...errors,
    ...validateSysctls(context, spec, `${path}.sysctls`),
    ...optionalOneOf(`${path}.fsGroupChangePolicy`, context.fsGroupChangePolicy, ['Always', 'OnRootMismatch']),
    ...optionalOneOf(`${path}.supplementalGroupsPolicy`, context.supplementalGroupsPolicy, ['Merge', 'Strict']),
    ...optionalOneOf(`${path}.seLinuxChangePolicy`, context.seLinuxChangePolicy, ['MountOption', 'Recursive']),
    ...validateSeccomp(context.seccompProfile, `${path}.seccompProfile`),
    ...validateAppArmor(context.appArmorProfile, `${path}.appArmorProfile`),
  ];
}

function validateSysctls({ sysctls = [] }: PodSecurityContext, spec: PodSpec, path: string): FieldError[] {
  const repeated = repeats(sysctls.map(({ name }) => name));
  return sysctls.flatMap((sysctl, index) => {
    const name = sysctl.name ?? '';
    const at = `${path}[${index}].name`;
    const errors: FieldError[] = [];
    if (!name) errors.push(required(at));
    else if (name.length > 253 || !SYSCTL_RE.test(name))
      errors.push(invalid(at, name, `must have at most 253 characters and match regex ${SYSCTL}`));
    else if (repeated.has(index)) errors.push(duplicate(at, name));
    if (spec.hostNetwork && name.startsWith('net.'))
      errors.push(invalid(at, name, "may not be specified when 'hostNetwork' is true"));
    if (spec.hostIPC && /^(kernel\.(shm|msg|sem)|fs\.mqueue\.)/.test(name))
      errors.push(invalid(at, name, "may not be specified when 'hostIPC' is true"));
    return errors;
  });
}

export function validateSecurityContext(
  context: SecurityContext | undefined,
  isHostUsers: boolean,
  path: string,
): FieldError[] {
  if (!context) return [];
  const errors = [
    ...validateId(context.runAsUser, `${path}.runAsUser`),
    ...validateId(context.runAsGroup, `${path}.runAsGroup`),
    ...optionalOneOf(`${path}.procMount`, context.procMount, ['Default', 'Unmasked']),
  ];
  if (isHostUsers && context.procMount === 'Unmasked')
    errors.push(invalid(`${path}.procMount`, context.procMount, '`hostUsers` must be false to use `Unmasked`'));
  append(errors, validateSeccomp(context.seccompProfile, `${path}.seccompProfile`));
  if (context.allowPrivilegeEscalation === false) {
    const text = 'cannot set `allowPrivilegeEscalation` to false and';
    if (context.privileged) errors.push(invalid(path, context, `${text} \`privileged\` to true`));
    if (context.capabilities?.add?.includes('CAP_SYS_ADMIN'))
      errors.push(invalid(path, context, `${text} \`capabilities.Add\` CAP_SYS_ADMIN`));
  }
  return [...errors, ...validateAppArmor(context.appArmorProfile, `${path}.appArmorProfile`)];
}

function validateSeccomp(profile: SeccompProfile | undefined, path: string): FieldError[] {
  if (!profile) return [];
  const errors: FieldError[] = [];
  if (!profile.type) errors.push(required(`${path}.type`, 'type is required when seccompProfile is set'));
  else if (!PROFILES.includes(profile.type)) errors.push(notSupported(`${path}.type`, profile.type, PROFILES));
  const at = `${path}.localhostProfile`;
  if (profile.type !== 'Localhost') {
    if (profile.localhostProfile !== undefined)
      errors.push(invalid(at, profile, 'can only be set when seccomp type is Localhost'));
  } else if (profile.localhostProfile === undefined)
    errors.push(required(at, 'must be set when seccomp type is Localhost'));
  else append(errors, validateLocalPath(at, profile.localhostProfile));
  return errors;
}

function validateAppArmor(profile: AppArmorProfile | undefined, path: string): FieldError[] {
  if (!profile) return [];
  const at = `${path}.localhostProfile`;
  const local = profile.localhostProfile;
  if (!profile.type) return [required(`${path}.type`, 'type is required when appArmorProfile is set')];
  if (!PROFILES.includes(profile.type)) return [notSupported(`${path}.type`, profile.type, PROFILES)];
  if (profile.type !== 'Localhost')
    return local === undefined ? [] : [invalid(at, local, 'can only be set when AppArmor type is Localhost')];
  if (!local?.trim()) return [required(at, 'must be set when AppArmor type is Localhost')];
  const errors = local === local.trim() ? [] : [invalid(at, local, 'must not be padded with whitespace')];
  return local.length > 4095 ? [...errors, tooLong(at, 4095)] : errors;
}
