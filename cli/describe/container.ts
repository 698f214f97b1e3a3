import type {
  Container,
  ContainerPort,
  ContainerState,
  ContainerStatus,
  EnvVar,
  Pod,
  Probe,
} from '../../shared/api/generated/types.js';
import { sortedEntries, timeText } from './format.js';
import { parseQuantity } from '../../shared/api/quantity.js';
import type { Lines } from './lines.js';

/** How containers are shown: of a pod with what it has become, or of a template, which stands one step deeper. */
export interface ContainerView {
  readonly statuses?: readonly ContainerStatus[];
  readonly pod?: Pod;
  readonly indent: string;
}

export function describeContainers(
  lines: Lines,
  title: string,
  containers: readonly Container[],
  view: ContainerView,
): void {
  lines.add(0, `${view.indent}${title}:`, ...(containers.length === 0 ? ['<none>'] : []));
  for (const container of containers) {
    const status = view.statuses?.find(({ name }) => name === container.name);
    lines.add(1, `${view.indent === '' ? '' : ' '}${container.name}:`);
    describeBasics(lines, container, status);
    describeCommand(lines, 'Command', container.command);
    describeCommand(lines, 'Args', container.args);
    if (status) describeStatus(lines, status);
    describeResources(lines, 'Limits', container.resources?.limits);
    describeResources(lines, 'Requests', container.resources?.requests);
    if (container.livenessProbe) lines.add(2, 'Liveness:', probeText(container.livenessProbe));
    if (container.readinessProbe) lines.add(2, 'Readiness:', probeText(container.readinessProbe));
    if (container.startupProbe) lines.add(2, 'Startup:', probeText(container.startupProbe));
    describeEnvironment(lines, container, view.pod);
    describeMounts(lines, container);
  }
}

function describeBasics(lines: Lines, container: Container, status: ContainerStatus | undefined): void {
  if (status) lines.add(2, 'Container ID:', status.containerID ?? '');
  lines.add(2, 'Image:', container.image ?? '');
  if (status) lines.add(2, 'Image ID:', status.imageID ?? '');
  const ports = container.ports ?? [];
  const plural = ports.length > 1 ? 's' : '';
  const text = (values: readonly string[]): string => values.join(', ') || '<none>';
  const rest = ({ protocol, name }: ContainerPort): string => `/${protocol ?? 'TCP'}${name ? ` (${name})` : ''}`;
  lines.add(2, `Port${plural}:`, text(ports.map((port) => `${port.containerPort}${rest(port)}`)));
  lines.add(2, `Host Port${plural}:`, text(ports.map((port) => `${port.hostPort ?? 0}${rest(port)}`)));
}

function describeCommand(lines: Lines, title: string, words: readonly string[] | undefined): void {
  if (!words || words.length === 0) return;
  lines.add(2, `${title}:`);
  for (const line of words.flatMap((word) => word.split('\n'))) lines.add(3, line);
}

function describeStatus(lines: Lines, status: ContainerStatus): void {
  describeState(lines, 'State', status.state ?? {});
  if (status.lastState?.terminated) describeState(lines, 'Last State', status.lastState);
  lines.add(2, 'Ready:', status.ready ? 'True' : 'False');
  lines.add(2, 'Restart Count:', String(status.restartCount));
}

function describeState(lines: Lines, title: string, { running, waiting, terminated }: ContainerState): void {
  if (running) {
    lines.add(2, `${title}:`, 'Running');
    lines.add(3, 'Started:', timeText(running.startedAt));
  } else if (terminated) {
    lines.add(2, `${title}:`, 'Terminated');
    if (terminated.reason) lines.add(3, 'Reason:', terminated.reason);
    if (terminated.message) lines.add(3, 'Message:', terminated.message);
    lines.add(3, 'Exit Code:', String(terminated.exitCode));
    if (terminated.signal) lines.add(3, 'Signal:', String(terminated.signal));
    lines.add(3, 'Started:', timeText(terminated.startedAt ?? noTime));
    lines.add(3, 'Finished:', timeText(terminated.finishedAt ?? noTime));
  } else {
    lines.add(2, `${title}:`, 'Waiting');
    if (waiting?.reason) lines.add(3, 'Reason:', waiting.reason);
  }
}

function describeResources(lines: Lines, title: string, amounts: Readonly<Record<string, string>> | undefined): void {
  const entries = sortedEntries(amounts);
  if (entries.length > 0) lines.add(2, `${title}:`);
  for (const [name, quantity] of entries) lines.add(3, `${name}:`, quantity);
}

function probeText(probe: Probe): string {
  const {
    initialDelaySeconds = 0,
    timeoutSeconds = 0,
    periodSeconds = 0,
    successThreshold = 0,
    failureThreshold = 0,
  } = probe;
  const attributes = `delay=${initialDelaySeconds}s timeout=${timeoutSeconds}s period=${periodSeconds}s #success=${successThreshold} #failure=${failureThreshold}`;
  const { exec, httpGet, tcpSocket, grpc } = probe;
  if (exec) return `exec [${(exec.command ?? []).join(' ')}] ${attributes}`;
  if (httpGet) {
    const { scheme = 'HTTP', host = '', port, path = '' } = httpGet;
    return `http-get ${scheme.toLowerCase()}://${host}:${port}${path.startsWith('/') ? path : `/${path}`} ${attributes}`;
  }
  if (tcpSocket) return `tcp-socket ${tcpSocket.host ?? ''}:${tcpSocket.port} ${attributes}`;
  return grpc ? `grpc <pod>:${grpc.port} ${grpc.service ?? ''} ${attributes}` : `unknown ${attributes}`;
}

function describeEnvironment(lines: Lines, container: Container, pod: Pod | undefined): void {
  const { env = [], envFrom = [] } = container;
  if (envFrom.length > 0) {
    lines.add(2, 'Environment Variables from:');
    for (const { configMapRef, secretRef, prefix } of envFrom) {
      const [kind, reference] = configMapRef ? ['ConfigMap', configMapRef] : ['Secret', secretRef];
      const suffix = prefix ? ` with prefix '${prefix}'` : '';
      lines.add(3, reference?.name ?? '', `${kind}${suffix}`, `Optional: ${String(reference?.optional ?? false)}`);
    }
  }
  lines.add(2, 'Environment:', ...(env.length === 0 ? ['<none>'] : []));
  for (const variable of env) describeVariable(lines, variable, { pod, container });
}

function describeVariable(
  lines: Lines,
  { name, value = '', valueFrom }: EnvVar,
  { pod, container }: { pod: Pod | undefined; container: Container },
): void {
  const title = `${name}:`;
  if (!valueFrom) {
    const [first = '', ...rest] = value.split('\n');
    lines.add(3, title, first);
    for (const line of rest) lines.add(3, '', line);
    return;
  }
  const { fieldRef, resourceFieldRef, secretKeyRef, configMapKeyRef } = valueFrom;
  const optional = (isOptional: boolean | undefined): string => `Optional: ${String(isOptional ?? false)}`;
  if (fieldRef) {
    lines.add(
      3,
      title,
      `${fieldValue(pod, fieldRef.fieldPath)} (${fieldRef.apiVersion ?? 'v1'}:${fieldRef.fieldPath})`,
    );
  } else if (resourceFieldRef) {
    lines.add(3, title, `${resourceText(container, resourceFieldRef)} (${resourceFieldRef.resource})`);
  } else if (secretKeyRef) {
    lines.add(
      3,
      title,
      `<set to the key '${secretKeyRef.key}' in secret '${secretKeyRef.name ?? ''}'>`,
      optional(secretKeyRef.optional),
    );
  } else if (configMapKeyRef) {
    lines.add(
      3,
      title,
      `<set to the key '${configMapKeyRef.key}' of config map '${configMapKeyRef.name ?? ''}'>`,
      optional(configMapKeyRef.optional),
    );
  }
}

/** What a field of the pod is, where the pod is there to look at. */
function fieldValue(pod: Pod | undefined, path: string): string {
  if (!pod) return '';
  const labelled = /^metadata\.(labels|annotations)\['([^']+)'\]$/.exec(path);
  if (labelled) return pod.metadata[labelled[1] as 'labels' | 'annotations']?.[labelled[2] ?? ''] ?? '';
  const value = path
    .split('.')
    .reduce<unknown>(
      (at, key) => (typeof at === 'object' && at !== null ? (at as Record<string, unknown>)[key] : undefined),
      pod,
    );
  return typeof value === 'string' ? value : '';
}

/** A limit or request as the container sees it: whole cores or bytes, divided and rounded up; of the node where there is none. */
function resourceText({ resources }: Container, { resource, divisor }: { resource: string; divisor?: string }): string {
  const [list, name = ''] = resource.split('.');
  const quantity = (list === 'limits' ? resources?.limits : resources?.requests)?.[name];
  if (quantity === undefined) return list === 'limits' ? 'node allocatable' : '0';
  const unit = divisor === undefined || divisor === '0' ? 1_000_000_000n : parseQuantity(divisor).nanos;
  return String((parseQuantity(quantity).nanos + unit - 1n) / unit);
}

/** What Go prints of a time that was never set. */
const noTime = '0001-01-01T00:00:00Z';

function describeMounts(lines: Lines, { volumeMounts = [], volumeDevices = [] }: Container): void {
  lines.add(2, 'Mounts:', ...(volumeMounts.length === 0 ? ['<none>'] : []));
  for (const { mountPath, name, readOnly, subPath } of volumeMounts.toSorted((a, b) =>
    a.mountPath < b.mountPath ? -1 : 1,
  )) {
    lines.add(3, `${mountPath} from ${name} (${readOnly ? 'ro' : 'rw'}${subPath ? `,path="${subPath}"` : ''})`);
  }
  if (volumeDevices.length > 0) lines.add(2, 'Devices:');
  for (const { devicePath, name } of volumeDevices) lines.add(3, `${devicePath} from ${name}`);
}
