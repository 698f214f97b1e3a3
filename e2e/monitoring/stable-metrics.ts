/**
 * The metrics that Kubernetes 1.36 calls stable or beta, by where they are told. Not among them: those of controllers and checks
 * that are not here (Jobs, CronJobs, StatefulSets, declarative validation), times of CEL, those of configuration files that
 * only servers with such files have, and those about the metrics and feature gates of the original's own machinery.
 */
export const stableMetrics: Readonly<Record<string, readonly string[]>> = {
  apiserver: [
    'apiserver_admission_controller_admission_duration_seconds',
    'apiserver_admission_step_admission_duration_seconds',
    'apiserver_admission_webhook_admission_duration_seconds',
    'apiserver_current_inflight_requests',
    'apiserver_flowcontrol_current_executing_requests',
    'apiserver_flowcontrol_current_executing_seats',
    'apiserver_flowcontrol_current_inqueue_requests',
    'apiserver_flowcontrol_dispatched_requests_total',
    'apiserver_flowcontrol_nominal_limit_seats',
    'apiserver_flowcontrol_rejected_requests_total',
    'apiserver_flowcontrol_request_wait_duration_seconds',
    'apiserver_longrunning_requests',
    'apiserver_request_duration_seconds',
    'apiserver_request_total',
    'apiserver_requested_deprecated_apis',
    'apiserver_response_sizes',
    'apiserver_storage_objects',
    'apiserver_storage_size_bytes',
    'apiserver_validating_admission_policy_check_duration_seconds',
    'apiserver_validating_admission_policy_check_total',
    'kubernetes_healthcheck',
    'kubernetes_healthchecks_total',
  ],
  scheduler: [
    'kubernetes_healthcheck',
    'kubernetes_healthchecks_total',
    'scheduler_framework_extension_point_duration_seconds',
    'scheduler_pending_pods',
    'scheduler_pod_scheduling_attempts',
    'scheduler_pod_scheduling_sli_duration_seconds',
    'scheduler_preemption_attempts_total',
    'scheduler_preemption_victims',
    'scheduler_queue_incoming_pods_total',
    'scheduler_schedule_attempts_total',
    'scheduler_scheduling_attempt_duration_seconds',
  ],
  'scheduler-resources': ['kube_pod_resource_limit', 'kube_pod_resource_request'],
  'controller-manager': ['kubernetes_healthcheck', 'kubernetes_healthchecks_total', 'node_collector_evictions_total'],
  resource: [
    'container_cpu_usage_seconds_total',
    'container_memory_working_set_bytes',
    'container_start_time_seconds',
    'node_cpu_usage_seconds_total',
    'node_memory_working_set_bytes',
    'pod_cpu_usage_seconds_total',
    'pod_memory_working_set_bytes',
    'resource_scrape_error',
  ],
  probes: ['prober_probe_total'],
};

/** What every program of the cluster tells of itself. */
export const ofEveryProcess: readonly string[] = [
  'kubernetes_build_info',
  'process_cpu_seconds_total',
  'process_max_fds',
  'process_open_fds',
  'process_resident_memory_bytes',
  'process_start_time_seconds',
];

/** Others that dashboards and alerts for Kubernetes are usually made of. */
export const usualMetrics: Readonly<Record<string, readonly string[]>> = {
  cadvisor: [
    'container_cpu_cfs_periods_total',
    'container_cpu_cfs_throttled_periods_total',
    'container_cpu_usage_seconds_total',
    'container_memory_cache',
    'container_memory_rss',
    'container_memory_usage_bytes',
    'container_memory_working_set_bytes',
    'machine_cpu_cores',
    'machine_memory_bytes',
  ],
  kubelet: [
    'kubelet_node_name',
    'kubelet_pleg_relist_duration_seconds',
    'kubelet_pod_start_duration_seconds',
    'kubelet_running_containers',
    'kubelet_running_pods',
    'kubelet_runtime_operations_duration_seconds',
    'kubelet_runtime_operations_total',
    'rest_client_requests_total',
  ],
  'kube-proxy': [
    'kubeproxy_network_programming_duration_seconds',
    'kubeproxy_sync_proxy_rules_duration_seconds',
    'rest_client_requests_total',
  ],
  scheduler: ['rest_client_requests_total', 'scheduler_scheduling_algorithm_duration_seconds'],
  'controller-manager': ['rest_client_requests_total', 'workqueue_depth', 'workqueue_queue_duration_seconds'],
};

/** Which of them a text lacks. */
export const missingFrom = (text: string, names: readonly string[]): string[] =>
  names.filter((name) => !new RegExp(`^# TYPE ${name} `, 'm').test(text));
