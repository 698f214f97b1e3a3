import type { Container, EnvVar, Pod, PodSpec, PodTemplateSpec } from '../../shared/api/generated/types.js';
import { parseQuantity, QuantityError } from '../../shared/api/quantity.js';
import { isDns1123Label } from '../validation/names.js';

const DEPRECATED_ANNOTATIONS: Readonly<Record<string, string>> = {
  'scheduler.alpha.kubernetes.io/critical-pod': 'non-functional in v1.16+; use the "priorityClassName" field instead',
  'security.alpha.kubernetes.io/sysctls': 'non-functional in v1.11+; use the "sysctls" field instead',
  'security.alpha.kubernetes.io/unsafe-sysctls': 'non-functional in v1.11+; use the "sysctls" field instead',
  'seccomp.security.alpha.kubernetes.io/pod': 'non-functional in v1.27+; use the "seccompProfile" field instead',
};
const DEPRECATED_LABELS: Readonly<Record<string, string>> = {
  'beta.kubernetes.io/arch': 'deprecated since v1.14; use "kubernetes.io/arch" instead',
  'beta.kubernetes.io/os': 'deprecated since v1.14; use "kubernetes.io/os" instead',
  'failure-domain.beta.kubernetes.io/region': 'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
  'failure-domain.beta.kubernetes.io/zone': 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
  'beta.kubernetes.io/instance-type': 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
};
const DEPRECATED_VOLUMES: Readonly<Record<string, string>> = {
  photonPersistentDisk: 'deprecated in v1.11, non-functional in v1.16+',
  gitRepo: 'deprecated in v1.11',
  scaleIO: 'deprecated in v1.16, non-functional in v1.22+',
  flocker: 'deprecated in v1.22, non-functional in v1.25+',
  storageos: 'deprecated in v1.22, non-functional in v1.25+',
  quobyte: 'deprecated in v1.22, non-functional in v1.25+',
  glusterfs: 'deprecated in v1.25, non-functional in v1.26+',
  cephfs: 'deprecated in v1.28, non-functional in v1.31+',
  rbd: 'deprecated in v1.28, non-functional in v1.31+',
};

const own = (table: Readonly<Record<string, string>>, key: string): string | undefined =>
  Object.hasOwn(table, key) ? table[key] : undefined;

/** What is accepted in a pod, but hardly meant. */
export function podWarnings(pod: Pod, old?: Pod): string[] {
  const found = warnings(pod.spec, pod.metadata.annotations, '');
  return old ? found : [...found, ...nameWarnings(pod.metadata.name, "the Pod's hostname")];
}

/** A name with dots makes a hostname that is several labels; told once, when the object is made. */
export function nameWarnings(name: string, use: string): string[] {
  const problems = isDns1123Label(name);
  if (problems.length === 0) return [];
  const text = 'which can result in surprising behavior; a DNS label is recommended';
  return [`metadata.name: this is used in ${use}, ${text}: [${problems.join(' ')}]`];
}

/** For a workload: of its template, and of its own name, which the names of its pods begin with. */
export function workloadWarnings(workload: Workload, old?: Workload): string[] {
  const found = templateWarnings(workload.spec?.template, 'spec.template');
  return old ? found : [...found, ...nameWarnings(workload.metadata.name, 'Pod names and hostnames')];
}

/** For the template of a pod at `path`. */
export function templateWarnings(template: PodTemplateSpec | undefined, path: string): string[] {
  return template?.spec ? warnings(template.spec, template.metadata?.annotations, `${path}.`) : [];
}

interface Workload {
  readonly metadata: { readonly name: string };
  readonly spec?: { readonly template?: PodTemplateSpec };
}

function warnings(spec: PodSpec, annotations: Readonly<Record<string, string>> | undefined, prefix: string): string[] {
  const path = `${prefix}spec`;
  return [
    ...Object.keys(spec.nodeSelector ?? {}).flatMap((key) =>
      deprecated(DEPRECATED_LABELS, key, `${path}.nodeSelector[${key}]`),
    ),
    ...(spec.topologySpreadConstraints ?? []).flatMap(({ topologyKey, labelSelector }, index) => {
      const at = `${path}.topologySpreadConstraints[${index}]`;
      const found = deprecatedLabelWarnings(topologyKey, `${at}.topologyKey`);
      return labelSelector ? found : [...found, `${at}.labelSelector: a null labelSelector results in matching no pod`];
    }),
    ...Object.keys(annotations ?? {}).flatMap((key) =>
      deprecated(DEPRECATED_ANNOTATIONS, key, `${prefix}metadata.annotations[${key}]`),
    ),
    ...(spec.volumes ?? []).flatMap((volume, index) =>
      Object.keys(volume)
        .filter((name) => own(DEPRECATED_VOLUMES, name) !== undefined && volume[name as keyof typeof volume])
        .map((name) => `${path}.volumes[${index}].${name}: ${own(DEPRECATED_VOLUMES, name)}`),
    ),
    ...repeated((spec.hostAliases ?? []).map(({ ip }) => ip)).map(
      ([index, ip]) => `${path}.hostAliases[${index}].ip: duplicate ip ${JSON.stringify(ip)}`,
    ),
    ...pullSecretWarnings(spec, path),
    ...containerWarnings(spec, path),
  ];
}

/** What a use of an old label of nodes as a key is answered with. */
export function deprecatedLabelWarnings(key: string, path: string): string[] {
  const text = own(DEPRECATED_LABELS, key);
  return text === undefined ? [] : [`${path}: ${key} is ${text}`];
}

const deprecated = (table: Readonly<Record<string, string>>, key: string, path: string): string[] => {
  const text = own(table, key);
  return text === undefined ? [] : [`${path}: ${text}`];
};

/** Index and value of everything that was there before. */
function repeated(values: readonly string[]): [number, string][] {
  if (values.length < 2) return [];
  const seen = new Set<string>();
  return values.flatMap((value, index): [number, string][] => {
    if (seen.has(value)) return [[index, value]];
    seen.add(value);
    return [];
  });
}

function pullSecretWarnings({ imagePullSecrets = [] }: PodSpec, path: string): string[] {
  const names = imagePullSecrets.map(({ name }) => name ?? '');
  const at = `${path}.imagePullSecrets`;
  return [
    ...repeated(names).map(([index, name]) => `${at}[${index}].name: duplicate name ${JSON.stringify(name)}`),
    ...names.flatMap((name, index) => (name === '' ? [`${at}[${index}].name: invalid empty name ""`] : [])),
  ];
}

function containerWarnings(spec: PodSpec, path: string): string[] {
  const found: string[] = [];
  const ports = new Map<string, string>();
  for (const field of ['initContainers', 'containers'] as const)
    for (const [index, container] of (spec[field] ?? []).entries()) {
      const at = `${path}.${field}[${index}]`;
      for (const text of fractionWarnings(container, at)) found.push(text);
      for (const text of envWarnings(container.env ?? [], `${at}.env`)) found.push(text);
      for (const [position, port] of (container.ports ?? []).entries()) {
        const key = `${port.containerPort}/${port.protocol ?? 'TCP'}/${port.hostIP ?? ''}/${port.hostPort ?? 0}`;
        const other = ports.get(key);
        if (other !== undefined) found.push(`${at}.ports[${position}]: duplicate port definition with ${other}`);
        else ports.set(key, `${at}.ports[${position}]`);
      }
    }
  if ((spec.terminationGracePeriodSeconds ?? 0) < 0)
    found.push(
      `${path}.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1`,
    );
  return found;
}

/** A part of a byte is most likely a mistaken suffix: `100m` of memory. */
function fractionWarnings({ resources }: Container, path: string): string[] {
  return (['limits', 'requests'] as const).flatMap((which) =>
    ['memory', 'ephemeral-storage'].flatMap((name) => {
      const quantity = resources?.[which]?.[name];
      return quantity !== undefined && isFractional(quantity)
        ? [
            `${path}.resources.${which}[${name}]: fractional byte value ${JSON.stringify(quantity)} is invalid, must be an integer`,
          ]
        : [];
    }),
  );
}

function isFractional(quantity: string): boolean {
  try {
    return parseQuantity(quantity).nanos % 1_000_000_000n !== 0n;
  } catch (error) {
    if (error instanceof QuantityError) return false;
    throw error;
  }
}

/** A second definition hides the first, unless it builds on it: X=a, X=$(X)b. */
function envWarnings(variables: readonly EnvVar[], path: string): string[] {
  return repeated(variables.map(({ name }) => name)).flatMap(([index, name]) => {
    const { value = '', valueFrom } = variables[index] ?? { name };
    const reference = `$(${name})`;
    const isBuilding = !valueFrom && value !== reference && value.includes(reference);
    return isBuilding
      ? []
      : [
          `${path}[${index}]: hides previous definition of ${JSON.stringify(name)}, which may be dropped when using apply`,
        ];
  });
}
