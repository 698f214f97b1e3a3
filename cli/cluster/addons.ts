import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { clusterrolebindings, clusterroles, deployments } from '../../shared/api/generated/resources.js';
import type { KubernetesObject } from '../../shared/api/object.js';
import { defineResource, type Resource } from '../../shared/api/resource.js';
import type { Client } from '../../shared/client/client.js';
import { systemClock } from '../../shared/clock/clock.js';
import { isNotFound } from '../../shared/errors/status-error.js';
import { dockerImages } from '../../shared/image/docker-images.js';
import type { ImageFile } from '../../shared/image/image-file.js';
import { importImage } from '../../shared/image/import-image.js';
import { baseFiles, busyboxShell, NODE_PATH, nodeRuntime } from '../../shared/image/node-runtime.js';
import { readManifests } from '../../shared/manifest/manifest.js';
import { Failure } from './failure.js';
import type { Progress } from './progress.js';
import type { ClusterState } from './state.js';
import { programsDirectory } from './supervision.js';

/** Field manager of what `up` writes. */
export const fieldManager = 'knarr-up';

export interface BootstrapOptions {
  readonly wait: boolean;
  readonly timeoutMs: number;
  readonly progress: Progress;
}

const repository = 'knarr/addons';
const programs = ['dns.js'];
const pollMs = 50;

/** Where each kind of the add-ons' manifests is served. */
const served: Readonly<Record<string, Resource<KubernetesObject>>> = {
  ClusterRole: clusterroles as Resource<KubernetesObject>,
  ClusterRoleBinding: clusterrolebindings as Resource<KubernetesObject>,
  ServiceAccount: defineResource({
    group: '',
    version: 'v1',
    kind: 'ServiceAccount',
    resource: 'serviceaccounts',
    namespaced: true,
  }),
  Service: defineResource({ group: '', version: 'v1', kind: 'Service', resource: 'services', namespaced: true }),
  Deployment: defineResource({
    group: 'apps',
    version: 'v1',
    kind: 'Deployment',
    resource: 'deployments',
    namespaced: true,
  }),
};

/** Reference of the add-ons' image: the same programs and Node give the same one on every host. */
function addonImage(directory: string): string {
  const hash = createHash('sha256').update(`${process.version} ${process.arch}`);
  for (const program of programs) hash.update(readFileSync(join(directory, 'addons', program)));
  return `${repository}:${hash.digest('hex').slice(0, 12)}`;
}

/** Builds the add-ons' image from this machine's Node and the built programs, unless the engine has it. */
export async function ensureAddonImage(dockerHost: string): Promise<string> {
  const directory = programsDirectory();
  const reference = addonImage(directory);
  const docker = dockerImages(dockerHost);
  if (await docker.labels(reference)) return reference;
  const app = programs.map((program): ImageFile => ({
    kind: 'file',
    path: `/app/${program}`,
    source: join(directory, 'addons', program),
    mode: 0o644,
  }));
  const files = [...(await nodeRuntime()), ...busyboxShell(), ...baseFiles(), ...app];
  const config = {
    entrypoint: [NODE_PATH],
    workingDirectory: '/app',
    environment: { PATH: '/usr/bin:/bin', NODE_ENV: 'production' },
  };
  await importImage({ docker, repository, tag: reference.slice(repository.length + 1), files, config });
  return reference;
}

/** Applies the manifests of the add-ons. */
export async function installAddons(
  client: Client,
  state: ClusterState,
  options: Pick<BootstrapOptions, 'progress'>,
): Promise<void> {
  const directory = programsDirectory();
  options.progress.step('installing the add-ons');
  const values: Readonly<Record<string, string>> = {
    IMAGE: await ensureAddonImage(state.dockerHost),
    CLUSTER_DNS: state.clusterDNS,
    CLUSTER_DOMAIN: state.clusterDomain,
  };
  const file = join(directory, 'data', 'addons', 'dns.yaml');
  if (!existsSync(file)) throw new Failure('Knarr is not built. Run: npm run build');
  const text = readFileSync(file, 'utf8').replace(/\$\{([A-Z_]+)\}/g, (whole, name: string) => values[name] ?? whole);
  for (const { value } of readManifests(text, { file })) {
    const object = value as KubernetesObject;
    const resource = served[object.kind];
    if (!resource) throw new Error(`${file}: no resource for kind ${object.kind}`);
    await client.patch(resource, object.metadata.name, object.metadata.namespace, 'apply', object, {
      fieldManager,
      force: true,
    });
  }
}

/** Resolves when every DNS replica is available. */
export async function waitForDns(client: Client, options: BootstrapOptions): Promise<void> {
  const deadline = performance.now() + options.timeoutMs;
  options.progress.step('waiting for DNS');
  for (;;) {
    const reason = await dnsReason(client);
    if (reason === undefined) return;
    options.progress.detail(reason);
    if (performance.now() > deadline)
      throw new Failure(
        `The cluster's DNS is not available: ${reason}. Look at it with: kubectl -n kube-system describe pods -l k8s-app=kube-dns`,
      );
    await systemClock.sleep(pollMs);
  }
}

async function dnsReason(client: Client): Promise<string | undefined> {
  try {
    const { spec, status } = await client.get(deployments, 'kube-dns', 'kube-system');
    const [wanted, available] = [spec.replicas ?? 1, status?.availableReplicas ?? 0];
    return available >= wanted ? undefined : `${available} of ${wanted} replicas are available`;
  } catch (error) {
    if (isNotFound(error)) return 'it is not installed';
    throw error;
  }
}
