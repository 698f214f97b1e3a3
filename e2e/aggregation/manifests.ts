import type { ServingCertificate } from '../../shared/pki/testing/serving-certificate.js';

export const namespace = 'monitoring';
/** Whom the server's certificate names. */
export const serverName = `metrics.${namespace}.svc`;

const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** The server with its account and all that it may, as the original's documentation of extension servers has it. */
export const serverManifest = (image: string, { certificate, key }: ServingCertificate): string => `
apiVersion: v1
kind: Namespace
metadata: {name: ${namespace}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: metrics, namespace: ${namespace}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: metrics:system:auth-delegator}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: system:auth-delegator}
subjects: [{kind: ServiceAccount, name: metrics, namespace: ${namespace}}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: metrics-auth-reader, namespace: kube-system}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: extension-apiserver-authentication-reader}
subjects: [{kind: ServiceAccount, name: metrics, namespace: ${namespace}}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: metrics-source}
rules:
- {apiGroups: [''], resources: [nodes], verbs: [get, list]}
- {apiGroups: [''], resources: [nodes/proxy], verbs: [get]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: metrics-source}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: metrics-source}
subjects: [{kind: ServiceAccount, name: metrics, namespace: ${namespace}}]
---
apiVersion: v1
kind: Secret
metadata: {name: metrics-tls, namespace: ${namespace}}
type: kubernetes.io/tls
data: {tls.crt: ${base64(certificate)}, tls.key: ${base64(key)}}
---
apiVersion: v1
kind: Service
metadata: {name: metrics, namespace: ${namespace}}
spec:
  selector: {app: metrics}
  ports: [{name: https, port: 443, targetPort: https}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: metrics, namespace: ${namespace}}
spec:
  selector: {matchLabels: {app: metrics}}
  template:
    metadata: {labels: {app: metrics}}
    spec:
      serviceAccountName: metrics
      terminationGracePeriodSeconds: 1
      containers:
      - name: server
        image: ${image}
        ports: [{name: https, containerPort: 8443}]
        readinessProbe: {httpGet: {scheme: HTTPS, path: /readyz, port: https}, periodSeconds: 1}
        volumeMounts: [{name: tls, mountPath: /tls, readOnly: true}]
      volumes: [{name: tls, secret: {secretName: metrics-tls}}]
`;

/** Registers both groups. */
export const registration = ({ ca }: ServingCertificate): string =>
  ['metrics.k8s.io', 'custom.metrics.k8s.io']
    .map(
      (group) => `
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: {name: v1beta1.${group}}
spec:
  group: ${group}
  version: v1beta1
  groupPriorityMinimum: 100
  versionPriority: 100
  caBundle: ${base64(ca)}
  service: {name: metrics, namespace: ${namespace}, port: 443}
`,
    )
    .join('---');
