import type { Container, EnvVar, EphemeralContainer, Pod } from '../../shared/api/generated/types.js';
import { Failure } from '../cluster/failure.js';
import { mergedContainer, type CustomProfile } from './custom-profile.js';
import { profiledContainer, profiledCopy, profiledNodePod, type Kept, type Profile } from './profile.js';

/** What the flags say of the debugging container, and of the copy that it may come into. */
export interface DebugRequest extends Kept {
  readonly profile: Profile;
  readonly custom: CustomProfile | undefined;
  readonly image: string | undefined;
  readonly imagePullPolicy: string | undefined;
  readonly container: string | undefined;
  readonly target: string | undefined;
  readonly env: readonly EnvVar[];
  readonly args: readonly string[];
  readonly argumentsOnly: boolean;
  readonly stdin: boolean;
  readonly tty: boolean;
  readonly copyTo: string | undefined;
  readonly setImage: Readonly<Record<string, string>>;
  readonly sameNode: boolean;
  /** Undefined where the flag was not given. */
  readonly shareProcesses: boolean | undefined;
}

/** A container that is added to a pod that runs. */
export function ephemeralContainer(name: string, request: DebugRequest): EphemeralContainer {
  const container: Container = {
    ...requested({ name, terminationMessagePolicy: 'File' }, request),
    ...(request.target === undefined ? {} : { targetContainerName: request.target }),
  };
  const profiled = profiledContainer(container, request.profile, 'ephemeral');
  return customised(profiled, request) as EphemeralContainer;
}

/** A pod in whose container a node can be looked at. */
export function nodePod(podName: string, node: string, request: DebugRequest): Pod {
  const name = request.container ?? 'debugger';
  const container = profiledContainer(
    requested({ name, terminationMessagePolicy: 'File' }, request),
    request.profile,
    'node',
  );
  const metadata = { name: podName, labels: { 'app.kubernetes.io/managed-by': 'kubectl-debug' } };
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: metadata as Pick<Pod['metadata'], 'name' | 'labels'>,
    spec: { containers: [container], nodeName: node, restartPolicy: 'Never', tolerations: [{ operator: 'Exists' }] },
  } as Pod;
  const profiled = profiledNodePod(pod, request.profile);
  return withContainer(profiled, name, (each) => customised(each, request));
}

export interface PodCopy {
  readonly pod: Pod;
  /** The container to look into; undefined where only images were changed. */
  readonly container: string | undefined;
}

/** A copy of a pod with other images, and with a container that is new or changed. @throws Failure */
export function podCopy(original: Pod, request: DebugRequest, newName: () => string): PodCopy {
  const copy = plainCopy(original, request);
  const existing = copy.spec.containers.find(({ name }) => name === request.container);
  if (!existing && request.image === undefined) {
    if (Object.keys(request.setImage).length > 0) return { pod: copy, container: undefined };
    throw new Failure('you must specify image when creating new container');
  }
  const name = existing?.name ?? request.container ?? newName();
  const base = existing ?? { name, terminationMessagePolicy: 'File' };
  const debugged = profiledContainer(requested(base, request), request.profile, 'copy');
  const { containers } = copy.spec;
  const all = existing ? containers.map((each) => (each === existing ? debugged : each)) : [...containers, debugged];
  const pod = profiledCopy({ ...copy, spec: { ...copy.spec, containers: all } }, request.profile, request);
  return { pod: withContainer(pod, name, (each) => customised(each, request)), container: name };
}

function plainCopy({ metadata, spec }: Pod, request: DebugRequest): Pod {
  const { ephemeralContainers: _, nodeName, ...kept } = spec;
  const { labels, annotations, namespace } = metadata;
  const image = (each: Container): string | undefined =>
    request.setImage[each.name] ?? request.setImage['*'] ?? each.image;
  const { shareProcesses } = request;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: request.copyTo,
      ...(namespace === undefined ? {} : { namespace }),
      ...(annotations ? { annotations } : {}),
      ...(labels ? { labels } : {}),
    },
    spec: {
      ...kept,
      containers: spec.containers.map((each) => ({ ...each, image: image(each) })),
      ...(shareProcesses === undefined ? {} : { shareProcessNamespace: shareProcesses }),
      ...(request.sameNode && nodeName !== undefined ? { nodeName } : {}),
    },
  } as Pod;
}

/** A container with what the flags say of it. */
function requested(base: Container, request: DebugRequest): Container {
  const { args, argumentsOnly, env, image, imagePullPolicy, stdin, tty } = request;
  const { stdin: _stdin, tty: _tty, ...kept } = base;
  const { args: _, ...withoutArgs } = kept;
  const command = args.length === 0 ? kept : argumentsOnly ? { ...kept, args } : { ...withoutArgs, command: args };
  return {
    ...command,
    ...(env.length > 0 ? { env } : {}),
    ...(image === undefined ? {} : { image }),
    ...(imagePullPolicy === undefined ? {} : { imagePullPolicy }),
    ...(stdin ? { stdin } : {}),
    ...(tty ? { tty } : {}),
  } as Container;
}

const customised = (container: Container, { custom }: DebugRequest): Container =>
  custom ? mergedContainer(container, custom) : container;

function withContainer(pod: Pod, name: string, change: (container: Container) => Container): Pod {
  const containers = pod.spec.containers.map((each) => (each.name === name ? change(each) : each));
  return { ...pod, spec: { ...pod.spec, containers } };
}
