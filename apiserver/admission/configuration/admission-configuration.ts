import { readFileSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import type { Clock } from '../../../shared/clock/clock.js';
import { readManifests } from '../../../shared/manifest/manifest.js';
import { fieldPath, onlyFields, record, records, text, type Fields } from '../../decode/document-fields.js';
import { aggregateMessage, invalid, notSupported, required, type FieldError } from '../../validation/field-error.js';
import { readPodSecurityConfiguration, type PodSecurityConfiguration } from '../pod-security/configuration.js';
import { readLimitedResources, type LimitedResource } from '../quota/limited-resources.js';
import { loadWebhookCredentials, type CredentialsFor } from '../webhook/webhook-credentials.js';

/** What an AdmissionConfiguration file says to the plugins. */
export interface AdmissionConfiguration {
  readonly podSecurity?: PodSecurityConfiguration;
  readonly limitedResources?: readonly LimitedResource[];
  readonly mutatingCredentials?: CredentialsFor;
  readonly validatingCredentials?: CredentialsFor;
}

const group = 'apiserver.config.k8s.io';

/** The kinds of configuration of a plugin, by apiVersion; the first is the one to write. */
const kindsOf: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  ResourceQuota: {
    [`${group}/v1`]: 'ResourceQuotaConfiguration',
    'resourcequota.admission.k8s.io/v1': 'Configuration',
    'resourcequota.admission.k8s.io/v1beta1': 'Configuration',
    'resourcequota.admission.k8s.io/v1alpha1': 'Configuration',
  },
  PodSecurity: {
    'pod-security.admission.config.k8s.io/v1': 'PodSecurityConfiguration',
    'pod-security.admission.config.k8s.io/v1beta1': 'PodSecurityConfiguration',
    'pod-security.admission.config.k8s.io/v1alpha1': 'PodSecurityConfiguration',
  },
  MutatingAdmissionWebhook: webhookKinds(),
  ValidatingAdmissionWebhook: webhookKinds(),
};

function webhookKinds(): Readonly<Record<string, string>> {
  return { [`${group}/v1`]: 'WebhookAdmissionConfiguration', [`${group}/v1alpha1`]: 'WebhookAdmission' };
}

/** The configuration of one plugin, and where it stands. */
interface Section {
  readonly file: string;
  readonly path: string;
  readonly fields: Fields;
}

/**
 * Reads --admission-control-config-file: apiserver.config.k8s.io AdmissionConfiguration. What is wrong is thrown as an
 * Error of one sentence that names the file and the place in it.
 */
export async function loadAdmissionConfiguration(file: string, clock: Clock): Promise<AdmissionConfiguration> {
  const sections = named(file, () => readSections(file));
  const podSecurity = sections.get('PodSecurity');
  const quota = sections.get('ResourceQuota');
  const credentialsOf = async (plugin: string): Promise<CredentialsFor | undefined> => {
    const section = sections.get(plugin);
    return section && loadWebhookCredentials(checked(section, readKubeconfigPath), clock);
  };
  const mutating = await credentialsOf('MutatingAdmissionWebhook');
  const validating = await credentialsOf('ValidatingAdmissionWebhook');
  return {
    ...(podSecurity ? { podSecurity: checked(podSecurity, readPodSecurityConfiguration) } : {}),
    ...(quota ? { limitedResources: checked(quota, readLimitedResources) } : {}),
    ...(mutating ? { mutatingCredentials: mutating } : {}),
    ...(validating ? { validatingCredentials: validating } : {}),
  };
}

function readSections(file: string): ReadonlyMap<string, Section> {
  const root = readRecord(file, 'the admission configuration');
  const version = text(root, 'apiVersion', '');
  if (![`${group}/v1`, `${group}/v1alpha1`].includes(version) || root['kind'] !== 'AdmissionConfiguration') {
    throw new Error(`is not of apiVersion ${group}/v1 and kind AdmissionConfiguration`);
  }
  onlyFields(root, ['apiVersion', 'kind', 'plugins'], '');
  const sections = new Map<string, Section>();
  for (const { fields, path } of records(root, 'plugins', '')) {
    onlyFields(fields, ['name', 'path', 'configuration'], path);
    const name = text(fields, 'name', path);
    if (name === '') throw new Error(aggregateMessage([required(`${path}.name`)]));
    if (!Object.hasOwn(kindsOf, name)) {
      throw new Error(aggregateMessage([notSupported(`${path}.name`, name, Object.keys(kindsOf).sort())]));
    }
    const section = readSection(file, fields, path);
    // As in the original the first of a name counts.
    if (section && !sections.has(name)) sections.set(name, withKnownKind(name, section));
  }
  return sections;
}

/** A configuration stands in the file itself, or in another that is named relative to it. */
function readSection(file: string, fields: Fields, path: string): Section | undefined {
  const inline = fields['configuration'];
  if (inline !== undefined && inline !== null) {
    const at = `${path}.configuration`;
    return { file, path: at, fields: record(inline, at) };
  }
  const other = text(fields, 'path', path);
  if (other === '') return undefined;
  const resolved = isAbsolute(other) ? other : join(dirname(file), other);
  return { file: resolved, path: '', fields: named(resolved, () => readRecord(resolved, 'the configuration')) };
}

function withKnownKind(plugin: string, section: Section): Section {
  const kinds = kindsOf[plugin] ?? {};
  const version = text(section.fields, 'apiVersion', section.path);
  const kind = text(section.fields, 'kind', section.path);
  if (Object.hasOwn(kinds, version) && kinds[version] === kind) return section;
  const [wanted = ['', '']] = Object.entries(kinds);
  const where = section.path === '' ? 'it' : section.path;
  return named(section.file, () => {
    throw new Error(`${where} is not of apiVersion ${wanted[0]} and kind ${wanted[1]}`);
  });
}

function readKubeconfigPath(fields: Fields, path: string, errors: FieldError[]): string {
  onlyFields(fields, ['apiVersion', 'kind', 'kubeConfigFile'], path);
  const file = text(fields, 'kubeConfigFile', path);
  if (file !== '' && !isAbsolute(file)) {
    errors.push(invalid(fieldPath(path, 'kubeConfigFile'), file, 'must be an absolute path'));
  }
  return file;
}

function checked<T>(section: Section, read: (fields: Fields, path: string, errors: FieldError[]) => T): T {
  return named(section.file, () => {
    const errors: FieldError[] = [];
    const value = read(section.fields, section.path, errors);
    if (errors.length > 0) throw new Error(aggregateMessage(errors));
    return value;
  });
}

function readRecord(file: string, what: string): Fields {
  let content: string;
  try {
    content = readFileSync(file, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new Error(code === 'ENOENT' ? 'no such file' : message, { cause: error });
  }
  const [document] = readManifests(content, { file });
  return record(document?.value, what);
}

class FileError extends Error {}

/** Errors begin with the file that is wrong, once. */
function named<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof FileError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new FileError(why.startsWith(file) ? why : `${file}: ${why}`, { cause: error });
  }
}
