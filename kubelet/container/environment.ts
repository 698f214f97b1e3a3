import type { ConfigMap, Container, EnvVar, Pod, Secret, Service } from '../../shared/api/generated/types.js';
import { expand } from './expansion.js';
import { fieldValue, type NodeFacts } from './field-ref.js';
import { resourceFieldValue, type NodeAllocatable } from './resource-field.js';
import { serviceEnvironment } from './service-environment.js';
import { CreateContainerConfigError } from './start-error.js';

/** Reads what env refers to; undefined when the object is not there. */
export interface ConfigSource {
  configMap(namespace: string, name: string): Promise<ConfigMap | undefined>;
  secret(namespace: string, name: string): Promise<Secret | undefined>;
}

export interface EnvironmentInput {
  readonly pod: Pod;
  readonly container: Container;
  readonly services: readonly Service[];
  readonly facts: NodeFacts;
  readonly allocatable: NodeAllocatable;
  readonly source: ConfigSource;
}

/** All variables of a container: Services first, then envFrom, then env, each overriding what came before. */
export async function containerEnvironment(input: EnvironmentInput): Promise<Map<string, string>> {
  const { pod, container } = input;
  const namespace = pod.metadata.namespace ?? '';
  const links = serviceEnvironment(input.services, namespace, pod.spec.enableServiceLinks !== false);
  const result = await fromSources(input, namespace);
  for (const variable of container.env ?? []) {
    const value = await valueOf(variable, input, namespace, result, links);
    if (value !== undefined) result.set(variable.name, value);
  }
  for (const [name, value] of links) if (!result.has(name)) result.set(name, value);
  return result;
}

async function fromSources(input: EnvironmentInput, namespace: string): Promise<Map<string, string>> {
  const result = new Map<string, string>();
  for (const from of input.container.envFrom ?? []) {
    const prefix = from.prefix ?? '';
    if (from.configMapRef) {
      const { name = '', optional } = from.configMapRef;
      const data = (await configMapOf(input, namespace, name, optional))?.data ?? {};
      for (const [key, value] of Object.entries(data)) result.set(prefix + key, value);
    }
    if (from.secretRef) {
      const { name = '', optional } = from.secretRef;
      const data = (await secretOf(input, namespace, name, optional))?.data ?? {};
      for (const [key, value] of Object.entries(data)) result.set(prefix + key, decode(value));
    }
  }
  return result;
}

async function valueOf(
  variable: EnvVar,
  input: EnvironmentInput,
  namespace: string,
  known: ReadonlyMap<string, string>,
  links: ReadonlyMap<string, string>,
): Promise<string | undefined> {
  const from = variable.valueFrom;
  if (!from) return expand(variable.value ?? '', new Map([...links, ...known]));
  if (from.fieldRef) return fieldValue(from.fieldRef.fieldPath, input.pod, input.facts);
  if (from.resourceFieldRef) {
    return resourceFieldValue(from.resourceFieldRef, input.pod, input.container, input.allocatable);
  }
  if (from.configMapKeyRef) {
    const { name = '', key, optional } = from.configMapKeyRef;
    const configMap = await configMapOf(input, namespace, name, optional);
    return pick(
      configMap?.data,
      key,
      optional || !configMap,
      `couldn't find key ${key} in ConfigMap ${namespace}/${name}`,
    );
  }
  if (from.secretKeyRef) {
    const { name = '', key, optional } = from.secretKeyRef;
    const secret = await secretOf(input, namespace, name, optional);
    const value = pick(
      secret?.data,
      key,
      optional || !secret,
      `couldn't find key ${key} in Secret ${namespace}/${name}`,
    );
    return value === undefined ? undefined : decode(value);
  }
  return undefined;
}

function pick(
  data: Readonly<Record<string, string>> | undefined,
  key: string,
  optional: boolean | undefined,
  message: string,
): string | undefined {
  if (data && Object.hasOwn(data, key)) return data[key];
  if (optional) return undefined;
  throw new CreateContainerConfigError(message);
}

async function configMapOf(
  input: EnvironmentInput,
  namespace: string,
  name: string,
  optional: boolean | undefined,
): Promise<ConfigMap | undefined> {
  const found = await input.source.configMap(namespace, name);
  if (!found && !optional) throw new CreateContainerConfigError(`configmap "${name}" not found`);
  return found;
}

async function secretOf(
  input: EnvironmentInput,
  namespace: string,
  name: string,
  optional: boolean | undefined,
): Promise<Secret | undefined> {
  const found = await input.source.secret(namespace, name);
  if (!found && !optional) throw new CreateContainerConfigError(`secret "${name}" not found`);
  return found;
}

const decode = (base64: string): string => Buffer.from(base64, 'base64').toString('utf8');
