/** As the documentation of Prometheus tells users to write it. */
export const monitoring = `
apiVersion: v1
kind: Namespace
metadata: {name: monitoring}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: prometheus, namespace: monitoring}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: prometheus}
rules:
- apiGroups: ['']
  resources: [nodes, nodes/metrics, nodes/proxy, services, endpoints, pods]
  verbs: [get, list, watch]
- apiGroups: [discovery.k8s.io]
  resources: [endpointslices]
  verbs: [get, list, watch]
- apiGroups: [networking.k8s.io]
  resources: [ingresses]
  verbs: [get, list, watch]
- nonResourceURLs: [/metrics]
  verbs: [get]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: prometheus}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: prometheus}
subjects:
- {kind: ServiceAccount, name: prometheus, namespace: monitoring}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, namespace: monitoring}
spec:
  rules:
  - host: web.example.com
    http:
      paths:
      - {path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}
`;

/** An account that may look at the pods of one namespace and nothing else: `reader` in `monitoring`, for the pods of `shop`. */
export const readerOfShop = `
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: reader, namespace: monitoring}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader, namespace: shop}
rules:
- apiGroups: ['']
  resources: [services, endpoints, pods]
  verbs: [get, list, watch]
- apiGroups: [discovery.k8s.io]
  resources: [endpointslices]
  verbs: [get, list, watch]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: reader, namespace: shop}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects:
- {kind: ServiceAccount, name: reader, namespace: monitoring}
`;

/** A pod that serves one metric, annotated as many are, behind a Service. */
export const shopOf = (image: string, name: string, tier: string): string => `
apiVersion: v1
kind: Pod
metadata:
  name: ${name}
  namespace: shop
  labels: {app: shop, tier: ${tier}}
  annotations: {prometheus.io/scrape: 'true', prometheus.io/path: /metrics.txt, prometheus.io/port: '8080'}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - name: web
    image: ${image}
    command: [/bin/sh, -c]
    args:
    - |
      mkdir /www
      printf '# TYPE shop_orders_total counter\\nshop_orders_total 7\\n' > /www/metrics.txt
      exec httpd -f -p 8080 -h /www
    ports: [{name: metrics, containerPort: 8080}]
    readinessProbe: {httpGet: {path: /metrics.txt, port: metrics}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: shop, namespace: shop, labels: {app: shop}}
spec:
  selector: {app: shop}
  ports: [{name: metrics, port: 80, targetPort: metrics}]
`;

/** Prometheus in a pod, with its own ServiceAccount and that configuration. */
export const prometheusPod = (image: string, config: string): string => `
apiVersion: v1
kind: ConfigMap
metadata: {name: prometheus, namespace: monitoring}
data:
  prometheus.yml: |
    ${config}
---
apiVersion: v1
kind: Pod
metadata: {name: prometheus, namespace: monitoring}
spec:
  serviceAccountName: prometheus
  securityContext: {runAsUser: 65534, runAsNonRoot: true, fsGroup: 65534}
  containers:
  - name: prometheus
    image: ${image}
    args: [--config.file=/etc/prometheus/prometheus.yml, --storage.tsdb.path=/prometheus]
    ports: [{name: web, containerPort: 9090}]
    readinessProbe: {httpGet: {path: /-/ready, port: web}, periodSeconds: 1}
    volumeMounts:
    - {name: config, mountPath: /etc/prometheus}
    - {name: data, mountPath: /prometheus}
  volumes:
  - {name: config, configMap: {name: prometheus}}
  - {name: data, emptyDir: {}}
`;
