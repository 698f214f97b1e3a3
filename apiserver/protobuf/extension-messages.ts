import type { MessageTable } from './messages.js';

const meta = 'k8s.io.apimachinery.pkg.apis.meta.v1';
const extensions = 'k8s.io.apiextensions-apiserver.pkg.apis.apiextensions.v1';
const olderExtensions = `${extensions}beta1`;
const registrations = ['v1', 'v1beta1'].map((version) => `k8s.io.kube-aggregator.pkg.apis.apiregistration.${version}`);

/** JSONSchemaProps by the names that its JSON has. */
const schemaProps: MessageTable[string] = {
  id: [1, 'string'],
  $schema: [2, 'string'],
  $ref: [3, 'string'],
  description: [4, 'string'],
  type: [5, 'string'],
  format: [6, 'string'],
  title: [7, 'string'],
  default: [8, `${extensions}.JSON`],
  maximum: [9, 'double'],
  exclusiveMaximum: [10, 'bool'],
  minimum: [11, 'double'],
  exclusiveMinimum: [12, 'bool'],
  maxLength: [13, 'int64'],
  minLength: [14, 'int64'],
  pattern: [15, 'string'],
  maxItems: [16, 'int64'],
  minItems: [17, 'int64'],
  uniqueItems: [18, 'bool'],
  multipleOf: [19, 'double'],
  enum: [20, `repeated ${extensions}.JSON`],
  maxProperties: [21, 'int64'],
  minProperties: [22, 'int64'],
  required: [23, 'repeated string'],
  items: [24, `${extensions}.JSONSchemaPropsOrArray`],
  allOf: [25, `repeated ${extensions}.JSONSchemaProps`],
  oneOf: [26, `repeated ${extensions}.JSONSchemaProps`],
  anyOf: [27, `repeated ${extensions}.JSONSchemaProps`],
  not: [28, `${extensions}.JSONSchemaProps`],
  properties: [29, `map<string,${extensions}.JSONSchemaProps>`],
  additionalProperties: [30, `${extensions}.JSONSchemaPropsOrBool`],
  patternProperties: [31, `map<string,${extensions}.JSONSchemaProps>`],
  dependencies: [32, `map<string,${extensions}.JSONSchemaPropsOrStringArray>`],
  additionalItems: [33, `${extensions}.JSONSchemaPropsOrBool`],
  definitions: [34, `map<string,${extensions}.JSONSchemaProps>`],
  externalDocs: [35, `${extensions}.ExternalDocumentation`],
  example: [36, `${extensions}.JSON`],
  nullable: [37, 'bool'],
  'x-kubernetes-preserve-unknown-fields': [38, 'bool'],
  'x-kubernetes-embedded-resource': [39, 'bool'],
  'x-kubernetes-int-or-string': [40, 'bool'],
  'x-kubernetes-list-map-keys': [41, 'repeated string'],
  'x-kubernetes-list-type': [42, 'string'],
  'x-kubernetes-map-type': [43, 'string'],
  'x-kubernetes-validations': [44, `repeated ${extensions}.ValidationRule`],
};

const definitions: Readonly<Record<string, MessageTable[string]>> = {
  CustomResourceColumnDefinition: {
    name: [1, 'string'],
    type: [2, 'string'],
    format: [3, 'string'],
    description: [4, 'string'],
    priority: [5, 'int32'],
    jsonPath: [6, 'string'],
  },
  CustomResourceConversion: { strategy: [1, 'string'], webhook: [2, `${extensions}.WebhookConversion`] },
  CustomResourceDefinition: {
    metadata: [1, `${meta}.ObjectMeta`],
    spec: [2, `${extensions}.CustomResourceDefinitionSpec`],
    status: [3, `${extensions}.CustomResourceDefinitionStatus`],
  },
  CustomResourceDefinitionCondition: {
    type: [1, 'string'],
    status: [2, 'string'],
    lastTransitionTime: [3, `${meta}.Time`],
    reason: [4, 'string'],
    message: [5, 'string'],
    observedGeneration: [6, 'int64'],
  },
  CustomResourceDefinitionList: {
    metadata: [1, `${meta}.ListMeta`],
    items: [2, `repeated ${extensions}.CustomResourceDefinition`],
  },
  CustomResourceDefinitionNames: {
    plural: [1, 'string'],
    singular: [2, 'string'],
    shortNames: [3, 'repeated string'],
    kind: [4, 'string'],
    listKind: [5, 'string'],
    categories: [6, 'repeated string'],
  },
  CustomResourceDefinitionSpec: {
    group: [1, 'string'],
    names: [3, `${extensions}.CustomResourceDefinitionNames`],
    scope: [4, 'string'],
    versions: [7, `repeated ${extensions}.CustomResourceDefinitionVersion`],
    conversion: [9, `${extensions}.CustomResourceConversion`],
    preserveUnknownFields: [10, 'bool'],
  },
  CustomResourceDefinitionStatus: {
    conditions: [1, `repeated ${extensions}.CustomResourceDefinitionCondition`],
    acceptedNames: [2, `${extensions}.CustomResourceDefinitionNames`],
    storedVersions: [3, 'repeated string'],
    observedGeneration: [4, 'int64'],
  },
  CustomResourceDefinitionVersion: {
    name: [1, 'string'],
    served: [2, 'bool'],
    storage: [3, 'bool'],
    schema: [4, `${extensions}.CustomResourceValidation`],
    subresources: [5, `${extensions}.CustomResourceSubresources`],
    additionalPrinterColumns: [6, `repeated ${extensions}.CustomResourceColumnDefinition`],
    deprecated: [7, 'bool'],
    deprecationWarning: [8, 'string'],
    selectableFields: [9, `repeated ${extensions}.SelectableField`],
  },
  CustomResourceSubresourceScale: {
    specReplicasPath: [1, 'string'],
    statusReplicasPath: [2, 'string'],
    labelSelectorPath: [3, 'string'],
  },
  CustomResourceSubresourceStatus: {},
  CustomResourceSubresources: {
    status: [1, `${extensions}.CustomResourceSubresourceStatus`],
    scale: [2, `${extensions}.CustomResourceSubresourceScale`],
  },
  CustomResourceValidation: { openAPIV3Schema: [1, `${extensions}.JSONSchemaProps`] },
  ExternalDocumentation: { description: [1, 'string'], url: [2, 'string'] },
  JSON: { raw: [1, 'bytes'] },
  JSONSchemaProps: schemaProps,
  JSONSchemaPropsOrArray: {
    schema: [1, `${extensions}.JSONSchemaProps`],
    jSONSchemas: [2, `repeated ${extensions}.JSONSchemaProps`],
  },
  JSONSchemaPropsOrBool: { allows: [1, 'bool'], schema: [2, `${extensions}.JSONSchemaProps`] },
  JSONSchemaPropsOrStringArray: { schema: [1, `${extensions}.JSONSchemaProps`], property: [2, 'repeated string'] },
  SelectableField: { jsonPath: [1, 'string'] },
  ServiceReference: { namespace: [1, 'string'], name: [2, 'string'], path: [3, 'string'], port: [4, 'int32'] },
  ValidationRule: {
    rule: [1, 'string'],
    message: [2, 'string'],
    messageExpression: [3, 'string'],
    reason: [4, 'string'],
    fieldPath: [5, 'string'],
    optionalOldSelf: [6, 'bool'],
  },
  WebhookClientConfig: {
    service: [1, `${extensions}.ServiceReference`],
    caBundle: [2, 'bytes'],
    url: [3, 'string'],
  },
  WebhookConversion: {
    clientConfig: [2, `${extensions}.WebhookClientConfig`],
    conversionReviewVersions: [3, 'repeated string'],
  },
};

/** The same in both versions. */
const services = (registration: string): Readonly<Record<string, MessageTable[string]>> => ({
  APIService: {
    metadata: [1, `${meta}.ObjectMeta`],
    spec: [2, `${registration}.APIServiceSpec`],
    status: [3, `${registration}.APIServiceStatus`],
  },
  APIServiceCondition: {
    type: [1, 'string'],
    status: [2, 'string'],
    lastTransitionTime: [3, `${meta}.Time`],
    reason: [4, 'string'],
    message: [5, 'string'],
  },
  APIServiceList: { metadata: [1, `${meta}.ListMeta`], items: [2, `repeated ${registration}.APIService`] },
  APIServiceSpec: {
    service: [1, `${registration}.ServiceReference`],
    group: [2, 'string'],
    version: [3, 'string'],
    insecureSkipTLSVerify: [4, 'bool'],
    caBundle: [5, 'bytes'],
    groupPriorityMinimum: [7, 'int32'],
    versionPriority: [8, 'int32'],
  },
  APIServiceStatus: { conditions: [1, `repeated ${registration}.APIServiceCondition`] },
  ServiceReference: { namespace: [1, 'string'], name: [2, 'string'], port: [3, 'int32'] },
});

/** What v1beta1 has of its own; the rest is that of v1. */
const olderDefinitions: Readonly<Record<string, MessageTable[string]>> = {
  CustomResourceColumnDefinition: {
    name: [1, 'string'],
    type: [2, 'string'],
    format: [3, 'string'],
    description: [4, 'string'],
    priority: [5, 'int32'],
    JSONPath: [6, 'string'],
  },
  CustomResourceConversion: {
    strategy: [1, 'string'],
    webhookClientConfig: [2, `${extensions}.WebhookClientConfig`],
    conversionReviewVersions: [3, 'repeated string'],
  },
  CustomResourceDefinition: {
    metadata: [1, `${meta}.ObjectMeta`],
    spec: [2, `${olderExtensions}.CustomResourceDefinitionSpec`],
    status: [3, `${extensions}.CustomResourceDefinitionStatus`],
  },
  CustomResourceDefinitionList: {
    metadata: [1, `${meta}.ListMeta`],
    items: [2, `repeated ${olderExtensions}.CustomResourceDefinition`],
  },
  CustomResourceDefinitionSpec: {
    group: [1, 'string'],
    version: [2, 'string'],
    names: [3, `${extensions}.CustomResourceDefinitionNames`],
    scope: [4, 'string'],
    validation: [5, `${extensions}.CustomResourceValidation`],
    subresources: [6, `${extensions}.CustomResourceSubresources`],
    versions: [7, `repeated ${olderExtensions}.CustomResourceDefinitionVersion`],
    additionalPrinterColumns: [8, `repeated ${olderExtensions}.CustomResourceColumnDefinition`],
    conversion: [9, `${olderExtensions}.CustomResourceConversion`],
    preserveUnknownFields: [10, 'bool'],
  },
  CustomResourceDefinitionVersion: {
    ...definitions['CustomResourceDefinitionVersion'],
    additionalPrinterColumns: [6, `repeated ${olderExtensions}.CustomResourceColumnDefinition`],
  },
};

const inPackage = (name: string, messages: Readonly<Record<string, MessageTable[string]>>): MessageTable =>
  Object.fromEntries(Object.entries(messages).map(([message, fields]) => [`${name}.${message}`, fields]));

/** Messages of apiextensions.k8s.io and apiregistration.k8s.io, which the table of the main repository lacks. */
export const extensionMessages: MessageTable = {
  ...inPackage(extensions, definitions),
  ...inPackage(olderExtensions, olderDefinitions),
  ...Object.fromEntries(registrations.flatMap((name) => Object.entries(inPackage(name, services(name))))),
};
