import type { Container, SELinuxOptions, SecurityContext } from '../../../shared/api/generated/types.js';
import {
  badSetters,
  containersOf,
  containersText,
  namesOf,
  plural,
  quoted,
  settersText,
  sorted,
  type Check,
  type PodShape,
} from './offenders.js';

const appArmorAnnotation = 'container.apparmor.security.beta.kubernetes.io/';
const seccompPodAnnotation = 'seccomp.security.alpha.kubernetes.io/pod';
const seccompContainerAnnotation = 'container.seccomp.security.alpha.kubernetes.io/';

export const isSafeSeccomp = (type: string): boolean => type === 'RuntimeDefault' || type === 'Localhost';
export const hasOwnUsers = ({ spec }: PodShape): boolean => spec.hostUsers === false;

export const appArmorProfile: Check = (pod) => {
  const { setters, values } = badSetters(
    pod,
    ({ appArmorProfile: profile }) => profile?.type,
    (type) => type === 'RuntimeDefault' || type === 'Localhost',
  );
  const annotations = Object.entries(pod.metadata.annotations ?? {})
    .filter(([key, value]) => key.startsWith(appArmorAnnotation) && !isSafeAppArmor(value))
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .sort();
  const bad = [...values, ...annotations];
  if (bad.length === 0) return undefined;
  const notes = annotations.length === 0 ? '' : plural(annotations.length, 'annotation', 'annotations');
  const who = [setters, notes];
  return {
    reason: plural(bad.length, 'forbidden AppArmor profile', 'forbidden AppArmor profiles'),
    detail: `${who.filter((text) => text !== '').join(' and ')} must not set AppArmor profile type to ${quoted(bad)}`,
  };
};

const isSafeAppArmor = (value: string): boolean =>
  value === '' || value === 'runtime/default' || value.startsWith('localhost/');

const defaultCapabilities = new Set(
  (
    'AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE SETFCAP SETGID SETPCAP SETUID ' +
    'SYS_CHROOT'
  ).split(' '),
);

export const capabilities: Check = (pod) => {
  const bad = ({ securityContext }: Container): string[] =>
    (securityContext?.capabilities?.add ?? []).filter((name) => !defaultCapabilities.has(name));
  const names = namesOf(pod, (container) => bad(container).length > 0);
  if (names.length === 0) return undefined;
  const values = quoted(sorted(containersOf(pod).flatMap(bad)));
  return {
    reason: 'non-default capabilities',
    detail: `${containersText(names)} must not include ${values} in securityContext.capabilities.add`,
  };
};

export const hostNamespaces: Check = ({ spec }) => {
  const set = (['hostNetwork', 'hostPID', 'hostIPC'] as const).filter((field) => spec[field] === true);
  if (set.length === 0) return undefined;
  return { reason: 'host namespaces', detail: set.map((field) => `${field}=true`).join(', ') };
};

export const hostPathVolumes: Check = ({ spec }) => {
  const names = (spec.volumes ?? []).filter(({ hostPath }) => hostPath).map(({ name }) => name);
  if (names.length === 0) return undefined;
  return { reason: 'hostPath volumes', detail: `${plural(names.length, 'volume', 'volumes')} ${quoted(names)}` };
};

export const hostPorts: Check = (pod) => {
  const bad = ({ ports }: Container): string[] =>
    (ports ?? []).flatMap(({ hostPort }) => (hostPort ? [String(hostPort)] : []));
  const names = namesOf(pod, (container) => bad(container).length > 0);
  if (names.length === 0) return undefined;
  const ports = sorted(containersOf(pod).flatMap(bad));
  const use = plural(names.length, 'uses', 'use');
  return {
    reason: 'hostPort',
    detail: `${containersText(names)} ${use} ${plural(ports.length, 'hostPort', 'hostPorts')} ${ports.join(', ')}`,
  };
};

export const hostProbesAndHostLifecycle: Check = (pod) => {
  const names = sorted(namesOf(pod, (container) => handlerHosts(container).length > 0));
  if (names.length === 0) return undefined;
  const hosts = sorted(containersOf(pod).flatMap(handlerHosts));
  const use = plural(names.length, 'uses', 'use');
  const what = plural(hosts.length, 'probe or lifecycle host', 'probe or lifecycle hosts');
  return {
    reason: 'probe or lifecycle host',
    detail: `${containersText(names)} ${use} ${what} ${quoted(hosts)}`,
  };
};

function handlerHosts({ livenessProbe, readinessProbe, startupProbe, lifecycle }: Container): string[] {
  const handlers = [livenessProbe, readinessProbe, startupProbe, lifecycle?.postStart, lifecycle?.preStop];
  return handlers.flatMap((handler) =>
    [handler?.httpGet?.host, handler?.tcpSocket?.host].flatMap((host) => (host ? [host] : [])),
  );
}

export const privileged: Check = (pod) => {
  const names = namesOf(pod, ({ securityContext }) => securityContext?.privileged === true);
  if (names.length === 0) return undefined;
  return { reason: 'privileged', detail: `${containersText(names)} must not set securityContext.privileged=true` };
};

export const procMount: Check = (pod) => {
  const bad = ({ securityContext }: Container): boolean => (securityContext?.procMount ?? 'Default') !== 'Default';
  const names = namesOf(pod, bad);
  if (names.length === 0) return undefined;
  const values = containersOf(pod)
    .filter(bad)
    .map(({ securityContext }) => securityContext?.procMount ?? '');
  return {
    reason: 'procMount',
    detail: `${containersText(names)} must not set securityContext.procMount to ${quoted(sorted(values))}`,
  };
};

const oldSeLinuxTypes: readonly string[] = ['', 'container_t', 'container_init_t', 'container_kvm_t'];
export const seLinuxTypes = { v0: oldSeLinuxTypes, v31: [...oldSeLinuxTypes, 'container_engine_t'] } as const;

export const seLinuxOptions =
  (allowedTypes: readonly string[]): Check =>
  (pod) => {
    const isBad = (context: Pick<SecurityContext, 'seLinuxOptions'> | undefined): boolean => {
      const options = context?.seLinuxOptions;
      return options !== undefined && (!allowedTypes.includes(options.type ?? '') || !!options.user || !!options.role);
    };
    const names = namesOf(pod, ({ securityContext }) => isBad(securityContext));
    const setters = settersText(isBad(pod.spec.securityContext), names);
    if (setters === '') return undefined;
    const all = [pod.spec.securityContext, ...containersOf(pod).map(({ securityContext }) => securityContext)];
    const options = all.flatMap((context): SELinuxOptions[] =>
      context?.seLinuxOptions ? [context.seLinuxOptions] : [],
    );
    const types = sorted(options.map(({ type = '' }) => type).filter((type) => !allowedTypes.includes(type)));
    const parts = types.length > 0 ? [`${plural(types.length, 'type', 'types')} ${quoted(types)}`] : [];
    if (options.some(({ user }) => user)) parts.push('user may not be set');
    if (options.some(({ role }) => role)) parts.push('role may not be set');
    const detail = `${setters} set forbidden securityContext.seLinuxOptions: ${parts.join('; ')}`;
    return { reason: 'seLinuxOptions', detail };
  };

const isSafeSeccompAnnotation = (value: string): boolean =>
  value === 'runtime/default' || value === 'docker/default' || value.startsWith('localhost/');

/** Before there was a field: annotations. */
export const seccompAnnotations: Check = (pod) => {
  const keys = [seccompPodAnnotation, ...containersOf(pod).map(({ name }) => `${seccompContainerAnnotation}${name}`)];
  const given = pod.metadata.annotations ?? {};
  const bad = sorted(
    keys
      .filter((key) => given[key] !== undefined && !isSafeSeccompAnnotation(given[key]))
      .map((key) => `${key}=${JSON.stringify(given[key])}`),
  );
  if (bad.length === 0) return undefined;
  const what = plural(bad.length, 'annotation', 'annotations');
  return { reason: 'seccompProfile', detail: `forbidden ${what} ${bad.join(', ')}` };
};

export const seccompProfile: Check = (pod) => {
  const { setters, values } = badSetters(pod, ({ seccompProfile: profile }) => profile?.type, isSafeSeccomp);
  if (setters === '') return undefined;
  return {
    reason: 'seccompProfile',
    detail: `${setters} must not set securityContext.seccompProfile.type to ${quoted(values)}`,
  };
};

const sysctls0 = [
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.ping_group_range',
];
const sysctls27 = [...sysctls0, 'net.ipv4.ip_local_reserved_ports'];
const sysctls29 = [
  ...sysctls27,
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
];
export const safeSysctls = {
  v0: sysctls0,
  v27: sysctls27,
  v29: sysctls29,
  v32: [...sysctls29, 'net.ipv4.tcp_rmem', 'net.ipv4.tcp_wmem'],
} as const;

export const sysctls =
  (allowed: readonly string[]): Check =>
  ({ spec }) => {
    const bad = (spec.securityContext?.sysctls ?? []).map(({ name }) => name).filter((name) => !allowed.includes(name));
    return bad.length === 0 ? undefined : { reason: 'forbidden sysctls', detail: bad.join(', ') };
  };

export const windowsHostProcess: Check = (pod) => {
  const isSet = (context: Pick<SecurityContext, 'windowsOptions'> | undefined): boolean =>
    context?.windowsOptions?.hostProcess === true;
  const names = namesOf(pod, ({ securityContext }) => isSet(securityContext));
  const setters = settersText(isSet(pod.spec.securityContext), names);
  if (setters === '') return undefined;
  return {
    reason: 'hostProcess',
    detail: `${setters} must not set securityContext.windowsOptions.hostProcess=true`,
  };
};
