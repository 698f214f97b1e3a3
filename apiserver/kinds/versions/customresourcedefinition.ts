import { equalJson } from '../../../shared/api/json.js';
import type { ResourceDefinition } from '../../registry/definition.js';
import { customResourceDefinitionDefinition, definitionStrategy } from '../customresourcedefinition.js';
import { member, members, olderVersion, rename, type Json, type VersionChange } from './served-version.js';

/** What a definition had once for all its versions, and what each version calls it. */
const shared = [
  ['validation', 'schema'],
  ['subresources', 'subresources'],
  ['additionalPrinterColumns', 'additionalPrinterColumns'],
] as const;

/** Before v1 a definition had one schema for all, kept what no schema names, and wrote the path of a column in capitals. */
const wholeDefinition: VersionChange = {
  toStored: (crd) => {
    const spec = member(crd, 'spec');
    if (!spec) return;
    spec['scope'] ??= 'Namespaced';
    spec['preserveUnknownFields'] ??= true;
    if (spec['preserveUnknownFields'] === false) delete spec['preserveUnknownFields'];
    nestVersions(spec);
    for (const version of members(spec, 'versions')) {
      for (const column of members(version, 'additionalPrinterColumns')) rename(column, 'JSONPath', 'jsonPath');
    }
    const conversion = member(spec, 'conversion');
    if (conversion) nestWebhook(conversion);
  },
  fromStored: (crd) => {
    const spec = member(crd, 'spec');
    if (!spec) return;
    const versions = members(spec, 'versions');
    for (const version of versions) {
      for (const column of members(version, 'additionalPrinterColumns')) rename(column, 'jsonPath', 'JSONPath');
    }
    spec['preserveUnknownFields'] ??= false;
    const [first] = versions;
    if (first) spec['version'] = first['name'];
    hoist(spec, versions);
    const conversion = member(spec, 'conversion');
    if (conversion) flattenWebhook(conversion);
  },
};

function nestVersions(spec: Json): void {
  const name = spec['version'];
  delete spec['version'];
  if (members(spec, 'versions').length === 0 && name) spec['versions'] = [{ name, served: true, storage: true }];
  for (const [whole, each] of shared) {
    const value = spec[whole];
    delete spec[whole];
    if (value === undefined) continue;
    for (const version of members(spec, 'versions')) version[each] ??= structuredClone(value);
  }
}

/** What all versions have alike is shown as the definition's own. */
function hoist(spec: Json, versions: readonly Json[]): void {
  for (const [whole, each] of shared) {
    const [first] = versions;
    const value = first?.[each];
    if (value === undefined || !versions.every((version) => equalJson(version[each], value))) continue;
    spec[whole] = value;
    for (const version of versions) delete version[each];
  }
}

function nestWebhook(conversion: Json): void {
  const { webhookClientConfig: clientConfig, conversionReviewVersions: versions } = conversion;
  delete conversion['webhookClientConfig'];
  delete conversion['conversionReviewVersions'];
  const isWebhook = conversion['strategy'] === 'Webhook';
  if (clientConfig === undefined && !isWebhook) return;
  conversion['webhook'] = {
    ...(clientConfig === undefined ? {} : { clientConfig }),
    conversionReviewVersions: versions ?? ['v1beta1'],
  };
}

function flattenWebhook(conversion: Json): void {
  const webhook = member(conversion, 'webhook');
  if (!webhook) return;
  delete conversion['webhook'];
  rename(webhook, 'clientConfig', 'webhookClientConfig');
  Object.assign(conversion, webhook);
}

export const olderDefinitionVersions: readonly ResourceDefinition[] = [
  olderVersion(
    customResourceDefinitionDefinition as unknown as ResourceDefinition,
    'apiextensions.k8s.io/v1beta1',
    { deprecated: '1.16', removed: '1.22' },
    { ...wholeDefinition, strategy: definitionStrategy(true) },
  ),
];
