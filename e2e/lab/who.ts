import { toolbox } from './images.js';

/** A Deployment `name` on one node, behind a LoadBalancer Service of that name: /cgi-bin/who answers `POD CLIENT-ADDRESS`. */
export function whoManifest(name: string, node: string): string {
  // The server listens on IPv6 and writes an IPv4 address as [::ffff:10.244.0.5].
  const script = 'a=${REMOTE_ADDR##*:}; printf "Content-Type: text/plain\\r\\n\\r\\n$(hostname) ${a%]}\\n"';
  return `
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}}
spec:
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec:
      terminationGracePeriodSeconds: 1
      nodeSelector: {kubernetes.io/hostname: ${node}}
      containers:
      - name: web
        image: ${toolbox}
        command:
        - sh
        - -c
        - |
          mkdir -p /tmp/www/cgi-bin
          cat > /tmp/www/cgi-bin/who <<'END'
          #!/bin/sh
          ${script}
          END
          chmod +x /tmp/www/cgi-bin/who
          echo ${name} is served
          exec httpd -f -p 8080 -h /tmp/www
        readinessProbe: {httpGet: {path: /cgi-bin/who, port: 8080}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: ${name}}
spec:
  type: LoadBalancer
  selector: {app: ${name}}
  ports: [{port: ${name === 'far' ? 8002 : 8001}, targetPort: 8080}]
`;
}
