import type {
  Container,
  ContainerPort,
  EphemeralContainer,
  PodSpec,
  Volume,
} from '../../shared/api/generated/types.js';
import { validateEnv, validateEnvFrom } from './env.js';
import {
  append,
  duplicate,
  forbidden,
  invalid,
  invalidEach,
  notFound,
  notSupported,
  oneOf,
  required,
  type FieldError,
} from './field-error.js';
import { validateLifecycle, validateProbe, type ProbeKind } from './handler.js';
import { isDns1123Label, isPortName, isPortNumber } from './names.js';
import { validateResources } from './resources.js';
import { validateSecurityContext } from './security-context.js';
import { validateMounts } from './volume-mount.js';
import { repeats } from './repeats.js';

export const PROTOCOLS = ['SCTP', 'TCP', 'UDP'];
const PROBES: readonly ProbeKind[] = ['livenessProbe', 'readinessProbe', 'startupProbe'];
const NOT_FOR_EPHEMERAL = [
  'ports',
  'livenessProbe',
  'readinessProbe',
  'startupProbe',
  'lifecycle',
  'resizePolicy',
  'restartPolicy',
  'restartPolicyRules',
] as const;

/** All containers of a pod: each by itself, their names together, and the ports of the host. */
export function validateContainers(spec: PodSpec, path: string): FieldError[] {
  const check = new ContainerCheck(spec);
  const { initContainers = [], ephemeralContainers = [] } = spec;
  const containers = spec.containers ?? [];
  const errors = containers.length === 0 ? [required(`${path}.containers`)] : [];
  for (const [index, container] of containers.entries())
    append(errors, check.regular(container, `${path}.containers[${index}]`));
  append(errors, validateHostPorts(containers, `${path}.containers`));
  for (const [index, container] of initContainers.entries())
    append(errors, check.init(container, `${path}.initContainers[${index}]`));
  for (const [index, container] of ephemeralContainers.entries())
    append(errors, check.ephemeral(container, `${path}.ephemeralContainers[${index}]`));
  return errors;
}

class ContainerCheck {
  readonly #spec: PodSpec;
  readonly #volumes: ReadonlyMap<string, Volume>;
  readonly #claims: ReadonlySet<string>;
  readonly #names = new Set<string>();

  constructor(spec: PodSpec) {
    this.#spec = spec;
    this.#volumes = new Map((spec.volumes ?? []).map((volume) => [volume.name, volume]));
    this.#claims = new Set((spec.resourceClaims ?? []).map(({ name }) => name));
  }

  regular(container: Container, path: string): FieldError[] {
    const errors = [...this.#common(container, path), ...this.#uniqueName(container.name, path)];
    append(errors, this.#handlers(container, path));
    const policy = container.restartPolicy;
    if (policy !== undefined) append(errors, oneOf(`${path}.restartPolicy`, policy, ['Always', 'Never', 'OnFailure']));
    return errors;
  }

  init(container: Container, path: string): FieldError[] {
    const errors = this.#common(container, path);
    const policy = container.restartPolicy;
    if (policy !== undefined && !['Always', 'Never', 'OnFailure'].includes(policy))
      errors.push(notSupported(`${path}.restartPolicy`, policy, ['Always', 'Never', 'OnFailure']));
    append(errors, this.#uniqueName(container.name, path));
    append(errors, validateHostPorts([container], path.slice(0, path.lastIndexOf('['))));
    if (policy === 'Always') return [...errors, ...this.#handlers(container, path)];
    for (const field of ['lifecycle', ...PROBES] as const)
      if (container[field])
        errors.push(forbidden(`${path}.${field}`, 'may not be set for init containers without restartPolicy=Always'));
    return errors;
  }

  ephemeral(container: EphemeralContainer, path: string): FieldError[] {
    const errors = [...this.#common(container, path), ...this.#uniqueName(container.name, path)];
    const target = container.targetContainerName;
    if (target && !this.#isRunning(target)) errors.push(notFound(`${path}.targetContainerName`, target));
    const text = 'cannot be set for an Ephemeral Container';
    for (const field of NOT_FOR_EPHEMERAL)
      if (container[field] !== undefined) errors.push(forbidden(`${path}.${field}`, text));
    if (container.resources?.limits || container.resources?.requests) errors.push(forbidden(`${path}.resources`, text));
    for (const [index, mount] of (container.volumeMounts ?? []).entries())
      for (const field of ['subPath', 'subPathExpr'] as const)
        if (mount[field]) errors.push(forbidden(`${path}.volumeMounts[${index}].${field}`, text));
    return errors;
  }

  #isRunning(target: string): boolean {
    // What is validated may lack what its type demands.
    const { containers = [], initContainers = [] } = this.#spec as Partial<PodSpec>;
    return containers.some(({ name }) => name === target) || initContainers.some(({ name }) => name === target);
  }

  #common(container: Container | EphemeralContainer, path: string): FieldError[] {
    const { name, image, env = [], envFrom = [], ports = [] } = container;
    return [
      ...(name ? invalidEach(`${path}.name`, name, isDns1123Label(name)) : [required(`${path}.name`)]),
      ...(image ? [] : [required(`${path}.image`)]),
      ...oneOf(`${path}.terminationMessagePolicy`, container.terminationMessagePolicy, [
        'File',
        'FallbackToLogsOnError',
      ]),
      ...validatePorts(ports, `${path}.ports`),
      ...validateEnv(env, `${path}.env`),
      ...validateEnvFrom(envFrom, `${path}.envFrom`),
      ...validateMounts(container, this.#volumes, path),
      ...oneOf(`${path}.imagePullPolicy`, container.imagePullPolicy, ['Always', 'IfNotPresent', 'Never']),
      ...validateResources(container.resources, this.#claims, `${path}.resources`),
      ...this.#resizePolicy(container, `${path}.resizePolicy`),
      ...validateSecurityContext(container.securityContext, this.#spec.hostUsers !== false, `${path}.securityContext`),
    ];
  }

  #resizePolicy({ resizePolicy = [] }: Container | EphemeralContainer, path: string): FieldError[] {
    const repeated = repeats(resizePolicy.map(({ resourceName }) => resourceName));
    return resizePolicy.flatMap(({ resourceName, restartPolicy }, index) => {
      const errors = oneOf(path, resourceName, ['cpu', 'memory']);
      if (repeated.has(index)) errors.push(duplicate(`${path}[${index}]`, resourceName));
      append(errors, oneOf(path, restartPolicy, ['NotRequired', 'RestartContainer']));
      if (this.#spec.restartPolicy === 'Never' && restartPolicy !== 'NotRequired')
        errors.push(invalid(path, restartPolicy, "must be 'NotRequired' when `restartPolicy` is 'Never'"));
      return errors;
    });
  }

  #handlers(container: Container, path: string): FieldError[] {
    const grace = this.#spec.terminationGracePeriodSeconds;
    const errors = container.lifecycle ? validateLifecycle(container.lifecycle, grace, `${path}.lifecycle`) : [];
    for (const kind of PROBES) {
      const probe = container[kind];
      if (probe) append(errors, validateProbe(probe, kind, `${path}.${kind}`));
    }
    return errors;
  }

  #uniqueName(name: string, path: string): FieldError[] {
    if (!name) return [];
    if (this.#names.has(name)) return [duplicate(`${path}.name`, name)];
    this.#names.add(name);
    return [];
  }
}

function validatePorts(ports: readonly ContainerPort[], path: string): FieldError[] {
  const names = new Set<string>();
  return ports.flatMap(({ name, containerPort, hostPort, protocol }, index) => {
    const at = `${path}[${index}]`;
    const errors: FieldError[] = [];
    if (name) {
      const problems = isPortName(name);
      if (problems.length > 0) append(errors, invalidEach(`${at}.name`, name, problems));
      else if (names.has(name)) errors.push(duplicate(`${at}.name`, name));
      names.add(name);
    }
    if (!containerPort) errors.push(required(`${at}.containerPort`));
    else append(errors, invalidEach(`${at}.containerPort`, containerPort, isPortNumber(containerPort)));
    if (hostPort) append(errors, invalidEach(`${at}.hostPort`, hostPort, isPortNumber(hostPort)));
    return [...errors, ...oneOf(`${at}.protocol`, protocol, PROTOCOLS)];
  });
}

function validateHostPorts(containers: readonly Container[], path: string): FieldError[] {
  const taken = new Set<string>();
  const errors: FieldError[] = [];
  for (const [index, { ports = [] }] of containers.entries())
    for (const [portIndex, { hostPort, hostIP = '', protocol = 'TCP' }] of ports.entries()) {
      if (!hostPort) continue;
      const key = `${protocol}/${hostIP}/${hostPort}`;
      if (taken.has(key)) errors.push(duplicate(`${path}[${index}].ports[${portIndex}].hostPort`, key));
      taken.add(key);
    }
  return errors;
}
