/** Definitions of the shapes that certificate managers and monitoring operators have. */
export const realWorld = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: certificates.pki.example.org}
spec:
  group: pki.example.org
  scope: Namespaced
  names: {plural: certificates, singular: certificate, kind: Certificate, listKind: CertificateList, shortNames: [cert, certs], categories: [pki]}
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {status: {}}
    additionalPrinterColumns:
    - {name: Ready, type: string, jsonPath: '.status.conditions[?(@.type=="Ready")].status'}
    - {name: Secret, type: string, jsonPath: .spec.secretName}
    - {name: Age, type: date, jsonPath: .metadata.creationTimestamp}
    schema:
      openAPIV3Schema:
        type: object
        required: [spec]
        properties:
          apiVersion: {type: string}
          kind: {type: string}
          metadata: {type: object}
          spec:
            type: object
            required: [secretName, issuerRef]
            x-kubernetes-validations:
            - {rule: "!has(self.renewBefore) || duration(self.renewBefore) < duration(self.duration)", message: renewBefore must be less than duration}
            properties:
              secretName: {type: string, maxLength: 253}
              duration: {type: string, default: 2160h, maxLength: 20}
              renewBefore: {type: string, maxLength: 20}
              dnsNames: {type: array, maxItems: 100, x-kubernetes-list-type: set, items: {type: string, maxLength: 253}}
              privateKey:
                type: object
                default: {}
                properties:
                  algorithm: {type: string, enum: [RSA, ECDSA, Ed25519], default: RSA}
                  size: {type: integer, default: 2048}
              issuerRef:
                type: object
                required: [name]
                properties:
                  name: {type: string}
                  kind: {type: string, enum: [Issuer, ClusterIssuer], default: Issuer}
          status:
            type: object
            properties:
              notAfter: {type: string, format: date-time}
              conditions:
                type: array
                x-kubernetes-list-type: map
                x-kubernetes-list-map-keys: [type]
                items: {type: object, required: [type, status], properties: {type: {type: string}, status: {type: string}, reason: {type: string}}}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: monitors.observe.example.org}
spec:
  group: observe.example.org
  scope: Namespaced
  names: {plural: monitors, kind: Monitor, shortNames: [smon]}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            required: [selector, endpoints]
            properties:
              selector:
                type: object
                x-kubernetes-map-type: atomic
                properties:
                  matchLabels: {type: object, additionalProperties: {type: string}}
                  matchExpressions: {type: array, items: {type: object, required: [key, operator], properties: {key: {type: string}, operator: {type: string}, values: {type: array, items: {type: string}}}}}
              namespaceSelector: {type: object, properties: {any: {type: boolean}, matchNames: {type: array, items: {type: string}}}}
              endpoints:
                type: array
                items:
                  type: object
                  properties:
                    port: {type: string}
                    targetPort: {x-kubernetes-int-or-string: true, anyOf: [{type: integer}, {type: string}]}
                    interval: {type: string, pattern: '^(0|(([0-9]+)y)?(([0-9]+)w)?(([0-9]+)d)?(([0-9]+)h)?(([0-9]+)m)?(([0-9]+)s)?(([0-9]+)ms)?)$'}
                    params: {type: object, additionalProperties: {type: array, items: {type: string}}}
                    template: {type: object, x-kubernetes-embedded-resource: true, x-kubernetes-preserve-unknown-fields: true}
`;

/** Objects of them. */
export const realObjects = `
apiVersion: pki.example.org/v1
kind: Certificate
metadata: {name: web}
spec: {secretName: web-tls, dnsNames: [a.example.org, b.example.org], issuerRef: {name: ca}}
---
apiVersion: observe.example.org/v1
kind: Monitor
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  endpoints: [{port: http, interval: 30s}, {targetPort: 8080, params: {match: [a, b]}, template: {apiVersion: v1, kind: Pod, metadata: {name: x}, spec: {any: thing}}}]
`;
