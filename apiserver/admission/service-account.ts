import { serviceaccounts } from '../../shared/api/generated/resources.js';
import type { Pod, ServiceAccount, Volume } from '../../shared/api/generated/types.js';
import type { KubernetesObject } from '../../shared/api/object.js';
import type { ObjectReader } from '../registry/object-reader.js';
import { forbidden } from '../registry/status-errors.js';
import type { AdmissionPlugin, AdmissionRequest } from './admission.js';

const mountPath = '/var/run/secrets/kubernetes.io/serviceaccount';
const mirrorAnnotation = 'kubernetes.io/config.mirror';
const namePrefix = 'kube-api-access-';
/** An hour, and seven seconds by which the server knows that nobody chose this. */
const tokenSeconds = 3607;

export interface ServiceAccountAdmissionOptions {
  readonly objects: ObjectReader;
  readonly randomSuffix: () => string;
}

/** Every pod runs under a ServiceAccount, and gets a volume with its token unless it declines. */
export function serviceAccountAdmission(options: ServiceAccountAdmissionOptions): AdmissionPlugin {
  return {
    name: 'ServiceAccount',
    mutate: (request) => {
      if (!isPodCreate(request)) return;
      const pod = request.object as unknown as Pod & KubernetesObject;
      if (pod.metadata.annotations?.[mirrorAnnotation] !== undefined) return;
      admit(pod, request, options);
    },
    validate: (request) => {
      if (!isPodCreate(request)) return;
      const pod = request.object as unknown as Pod & KubernetesObject;
      if (pod.metadata.annotations?.[mirrorAnnotation] !== undefined) checkMirror(pod, request);
    },
  };
}

function isPodCreate({ operation, definition, subresource, object }: AdmissionRequest): boolean {
  const { group, resource } = definition.resource;
  return operation === 'CREATE' && group === '' && resource === 'pods' && subresource === '' && object !== undefined;
}

function admit(pod: Pod & KubernetesObject, request: AdmissionRequest, options: ServiceAccountAdmissionOptions): void {
  const name = (pod.spec.serviceAccountName ||= 'default');
  pod.spec.serviceAccount = name;
  const account = options.objects.find(serviceaccounts, request.namespace, name);
  if (!account) {
    const namespaced = `${request.namespace ?? ''}/${name}`;
    throw forbidden(
      request.definition.resource,
      pod.metadata.name ?? '',
      `error looking up service account ${namespaced}: serviceaccount ${JSON.stringify(name)} not found`,
    );
  }
  if (mountsToken(pod, account)) mountToken(pod, options.randomSuffix);
  const isWithoutSecrets = (pod.spec.imagePullSecrets ?? []).length === 0;
  if (isWithoutSecrets && account.imagePullSecrets?.length) {
    pod.spec.imagePullSecrets = account.imagePullSecrets.map((reference) => ({ ...reference }));
  }
}

function mountsToken(pod: Pod, account: ServiceAccount): boolean {
  return pod.spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true;
}

function mountToken(pod: Pod, randomSuffix: () => string): void {
  const volumes = (pod.spec.volumes ??= []);
  const existing = volumes.find((volume) => volume.name.startsWith(namePrefix));
  const name = existing?.name ?? `${namePrefix}${randomSuffix()}`;
  let isUsed = false;
  for (const container of [...(pod.spec.initContainers ?? []), ...(pod.spec.containers ?? [])]) {
    const mounts = (container.volumeMounts ??= []);
    if (mounts.some((mount) => mount.mountPath === mountPath)) continue;
    mounts.push({ name, readOnly: true, mountPath });
    isUsed = true;
  }
  if (isUsed && !existing) volumes.push(tokenVolume(name));
}

function tokenVolume(name: string): Volume {
  return {
    name,
    projected: {
      defaultMode: 0o644,
      sources: [
        { serviceAccountToken: { expirationSeconds: tokenSeconds, path: 'token' } },
        { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
        {
          downwardAPI: {
            items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }],
          },
        },
      ],
    },
  };
}

/** A mirror pod shows what a kubelet runs by itself: it can have no account. */
function checkMirror(pod: Pod & KubernetesObject, { definition }: AdmissionRequest): void {
  const refuse = (why: string): Error => forbidden(definition.resource, pod.metadata.name, why);
  if (pod.spec.serviceAccountName) throw refuse('a mirror pod may not reference service accounts');
  const usesToken = (pod.spec.volumes ?? []).some((volume) =>
    volume.projected?.sources?.some((source) => source.serviceAccountToken !== undefined),
  );
  if (usesToken) throw refuse('a mirror pod may not use ServiceAccountToken volume projections');
}
