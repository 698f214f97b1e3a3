/** What each role of the discovery finds, by a label that only it gives. */
export const roles: Readonly<Record<string, [label: string, value: RegExp]>> = {
  node: ['__meta_kubernetes_node_name', /^node-1$/],
  pod: ['__meta_kubernetes_pod_name', /dns/],
  service: ['__meta_kubernetes_service_name', /^kube-dns$/],
  endpoints: ['__meta_kubernetes_endpoints_name', /^kube-dns$/],
  endpointslice: ['__meta_kubernetes_endpointslice_name', /^kube-dns/],
  ingress: ['__meta_kubernetes_ingress_name', /^web$/],
};

/** Components that speak plain HTTP on loopback, with the paths of their metrics. */
const local: Readonly<Record<string, [port: number, path: string]>> = {
  scheduler: [10259, '/metrics'],
  'scheduler-resources': [10259, '/metrics/resources'],
  'controller-manager': [10257, '/metrics'],
  'kube-proxy': [10256, '/metrics'],
  'kubelet-health': [10248, '/metrics'],
};
/** What the kubelet tells, through the proxy of the API server. */
const ofNodes = {
  kubelet: '/metrics',
  cadvisor: '/metrics/cadvisor',
  resource: '/metrics/resource',
  probes: '/metrics/probes',
};

/** The same from the kubelet itself, which asks the API server whose token that is and what he may. */
const ofKubelets = Object.fromEntries(Object.entries(ofNodes).map(([name, path]) => [`${name}-direct`, path]));

export type Job = Record<string, unknown>;

/** How one comes to a cluster. */
export interface Access {
  readonly server: string;
  /** Files. */
  readonly ca: string;
  readonly token: string;
}

/** A configuration of Prometheus, which takes JSON as YAML. */
export const fileOf = (jobs: readonly Job[], everySeconds = 2): string =>
  JSON.stringify({
    global: { scrape_interval: `${everySeconds}s`, scrape_timeout: `${everySeconds}s` },
    scrape_configs: jobs,
  });

export const credentials = ({ ca, token }: Access): Job => ({
  tls_config: { ca_file: ca },
  authorization: { credentials_file: token },
});

/** kubernetes_sd_configs that names the server and shows a token. */
export const byToken = (access: Access): Job => ({ api_server: access.server, ...credentials(access) });

export const keep = (label: string, regex: string): Job => ({ source_labels: [label], regex, action: 'keep' });

const nodePath = ({ server }: Access, path: string): Job[] => [
  { target_label: '__address__', replacement: new URL(server).host },
  {
    source_labels: ['__meta_kubernetes_node_name'],
    regex: '(.+)',
    target_label: '__metrics_path__',
    replacement: `/api/v1/nodes/$1/proxy${path}`,
  },
];

/** One job a role that scrapes nothing: what was discovered can be read as dropped targets. */
const foundJobs = (discover: (role: string) => Job): Job[] =>
  Object.keys(roles).map((role) => ({
    job_name: `found-${role}`,
    ...discover(role),
    relabel_configs: [{ action: 'drop', source_labels: ['__address__'], regex: '.*' }],
  }));

/**
 * Everything that has an address for others is found by asking the API server.
 * @param discovery how the discovery comes to the cluster: `byToken`, a kubeconfig_file, or nothing in a pod
 */
export function discovering(access: Access, discovery: Job): readonly Job[] {
  const secure = { scheme: 'https', ...credentials(access) };
  const discover = (role: string): Job => ({ kubernetes_sd_configs: [{ role, ...discovery }] });
  const ofApiserver = [
    keep('__meta_kubernetes_service_name', 'kubernetes'),
    keep('__meta_kubernetes_endpoint_port_name', 'https'),
  ];
  const ofDns = [
    keep('__meta_kubernetes_pod_label_k8s_app', 'kube-dns'),
    keep('__meta_kubernetes_pod_container_port_name', 'metrics'),
  ];
  return [
    ...foundJobs(discover),
    { job_name: 'apiserver', ...secure, ...discover('endpoints'), relabel_configs: ofApiserver },
    ...Object.entries(ofNodes).map(([name, path]) => ({
      job_name: name,
      ...secure,
      ...discover('node'),
      relabel_configs: nodePath(access, path),
    })),
    ...Object.entries(ofKubelets).map(([name, path]) => ({
      job_name: name,
      metrics_path: path,
      ...secure,
      ...discover('node'),
    })),
    { job_name: 'dns', ...discover('pod'), relabel_configs: ofDns },
  ];
}

const at = (address: string): Job => ({ static_configs: [{ targets: [address] }] });

/** What only programs of the same machine can ask. */
export const localJobs: readonly Job[] = Object.entries(local).map(([name, [port, path]]) => ({
  job_name: name,
  metrics_path: path,
  ...at(`127.0.0.1:${port}`),
}));

/** The same without discovery: a distribution may build its Prometheus without that of Kubernetes. */
export function listed(access: Access, addresses: { node: string; dns: string }): readonly Job[] {
  const server = { scheme: 'https', ...credentials(access), ...at(new URL(access.server).host) };
  return [
    { job_name: 'apiserver', ...server },
    ...Object.entries(ofNodes).map(([name, path]) => ({
      job_name: name,
      ...server,
      metrics_path: `/api/v1/nodes/node-1/proxy${path}`,
    })),
    ...Object.entries(ofKubelets).map(([name, path]) => ({
      job_name: name,
      scheme: 'https',
      metrics_path: path,
      ...credentials(access),
      ...at(`${addresses.node}:10250`),
    })),
    { job_name: 'dns', ...at(`${addresses.dns}:9153`) },
  ];
}

/** Names of the jobs that scrape something of a cluster's network. */
export const clusterJobs: readonly string[] = ['apiserver', 'dns', ...Object.keys(ofNodes), ...Object.keys(ofKubelets)];
/** Names of all jobs that scrape something. */
export const allJobs: readonly string[] = [...clusterJobs, ...Object.keys(local)];

/** Where each component's metrics are, for those who read them without Prometheus. */
export const endpoints = { local, ofNodes };
