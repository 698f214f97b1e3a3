import { basename, join } from 'node:path';
import { Failure } from '../cluster/failure.js';
import { oneName } from './generator.js';
import type { AnyObject } from '../server-api.js';

/** Disk, as far as generators read it. */
export interface Files {
  read(path: string): Buffer;
  isDirectory(path: string): boolean;
  list(path: string): string[];
}

const object = (apiVersion: string, kind: string, name: string, rest: object = {}): AnyObject => ({
  apiVersion,
  kind,
  metadata: { name },
  ...rest,
});

export const namespaceObject = (words: readonly string[]): AnyObject =>
  object('v1', 'Namespace', oneName(words, 'namespace'));
export const serviceAccountObject = (words: readonly string[]): AnyObject =>
  object('v1', 'ServiceAccount', oneName(words, 'serviceaccount'));

export interface DeploymentFlags {
  image?: string[];
  replicas: number;
  port?: number;
}

export function deploymentObject(
  words: readonly string[],
  flags: DeploymentFlags,
  command: readonly string[],
): AnyObject {
  const images = flags.image ?? [];
  if (images.length > 0 || words.length === 0) oneName(words, 'deployment');
  const name = words[0] ?? '';
  if (images.length === 0) throw new Failure('required flag(s) "image" not set');
  if (images.length > 1 && command.length > 0) throw new Failure('cannot specify multiple --image options and command');
  if (flags.replicas < 0) throw new Failure('negative numbers are not allowed for --replicas');
  const ports = flags.port === undefined ? {} : { ports: [{ containerPort: flags.port }] };
  const containers = images.map((image) => ({
    name: containerName(image),
    image,
    ...(command.length > 0 ? { command } : {}),
    ...ports,
    resources: {},
  }));
  const labels = { app: name };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, labels },
    spec: {
      replicas: flags.replicas,
      selector: { matchLabels: labels },
      strategy: {},
      template: { metadata: { labels }, spec: { containers } },
    },
    status: {},
  };
}

/** The last part of an image's name, without tag and digest. */
function containerName(image: string): string {
  const last = image.split('/').at(-1) ?? image;
  return (last.split(/[:@]/)[0] ?? last).toLowerCase().replaceAll(/[^a-z0-9-]/g, '-');
}

export interface DataFlags {
  fromLiteral?: string[];
  fromFile?: string[];
  fromEnvFile?: string[];
  type?: string;
}

export function configMapObject(words: readonly string[], flags: DataFlags, files: Files): AnyObject {
  const data: Record<string, string> = {};
  const binaryData: Record<string, string> = {};
  for (const [key, value] of entriesOf(flags, files)) {
    const text = value.toString('utf8');
    if (Buffer.from(text).equals(value)) data[key] = text;
    else binaryData[key] = value.toString('base64');
  }
  const parts = {
    ...(Object.keys(data).length > 0 ? { data } : {}),
    ...(Object.keys(binaryData).length > 0 ? { binaryData } : {}),
  };
  return object('v1', 'ConfigMap', oneName(words, 'configmap'), parts);
}

export function secretObject(words: readonly string[], flags: DataFlags, files: Files): AnyObject {
  const data = Object.fromEntries([...entriesOf(flags, files)].map(([key, value]) => [key, value.toString('base64')]));
  const parts = { ...(Object.keys(data).length > 0 ? { data } : {}), ...(flags.type ? { type: flags.type } : {}) };
  return object('v1', 'Secret', oneName(words, 'secret generic'), parts);
}

/** Keys and values of all --from-... flags. @throws Failure for a key that comes twice. */
function entriesOf(
  { fromLiteral = [], fromFile = [], fromEnvFile = [] }: DataFlags,
  files: Files,
): Map<string, Buffer> {
  const entries = new Map<string, Buffer>();
  const add = (key: string, value: Buffer): void => {
    if (entries.has(key)) throw new Failure(`cannot add key "${key}", another key by that name already exists`);
    entries.set(key, value);
  };
  for (const source of fromFile) for (const [key, path] of filesOf(source, files)) add(key, files.read(path));
  for (const literal of fromLiteral) {
    const at = literal.indexOf('=');
    if (at <= 0) throw new Failure(`invalid literal source ${literal}, expected key=value`);
    add(literal.slice(0, at), Buffer.from(literal.slice(at + 1).replace(/^(["'])(.*)\1$/s, '$2')));
  }
  for (const path of fromEnvFile) {
    for (const line of files
      .read(path)
      .toString('utf8')
      .split('\n')
      .map((each) => each.trimStart())) {
      if (line === '' || line.startsWith('#')) continue;
      const at = line.indexOf('=');
      add(at < 0 ? line : line.slice(0, at), Buffer.from(at < 0 ? '' : line.slice(at + 1)));
    }
  }
  return entries;
}

function filesOf(source: string, files: Files): [string, string][] {
  const at = source.indexOf('=');
  const [key, path] = at < 0 ? [undefined, source] : [source.slice(0, at), source.slice(at + 1)];
  if (files.isDirectory(path)) {
    if (key !== undefined) throw new Failure('cannot give a key name for a directory path');
    return files.list(path).map((name) => [name, join(path, name)]);
  }
  return [[key ?? basename(path), path]];
}

export interface ServiceFlags {
  tcp?: string[];
  nodePort?: number;
  clusterip?: string;
  externalName?: string;
}

const serviceTypes: Readonly<Record<string, string>> = {
  clusterip: 'ClusterIP',
  nodeport: 'NodePort',
  loadbalancer: 'LoadBalancer',
  externalname: 'ExternalName',
};

export function serviceObject(words: readonly string[], type: string, flags: ServiceFlags): AnyObject {
  const name = oneName(words, `service ${type}`);
  const ports = (flags.tcp ?? []).map((text) => servicePort(text, flags.nodePort));
  const isExternal = type === 'externalname';
  if (ports.length === 0 && !isExternal && flags.clusterip !== 'None')
    throw new Failure('at least one tcp port specifier must be provided');
  if (isExternal && !flags.externalName) throw new Failure('required flag(s) "external-name" not set');
  const spec = {
    ...(ports.length > 0 ? { ports } : {}),
    selector: { app: name },
    type: serviceTypes[type],
    ...(flags.clusterip ? { clusterIP: flags.clusterip } : {}),
    ...(flags.externalName ? { externalName: flags.externalName } : {}),
  };
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, labels: { app: name } },
    spec,
    status: { loadBalancer: {} },
  };
}

function servicePort(text: string, nodePort: number | undefined): object {
  const [first = '', second = first] = text.split(':');
  const port = Number(first);
  if (!/^\d+$/.test(first) || port < 1 || port > 65_535) throw new Failure(`invalid port: ${first}`);
  const targetPort = /^\d+$/.test(second) ? Number(second) : second;
  return { name: text.replace(':', '-'), port, protocol: 'TCP', targetPort, ...(nodePort ? { nodePort } : {}) };
}
